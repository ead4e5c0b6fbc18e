import CSQLiteSession
import Glibc

/// Which statements may be prepared on a connection. SQLite asks for each thing that a statement would do, those of its
/// triggers and views included (sqlite3_set_authorizer); it asks again when it prepares a statement anew by itself, so
/// the rules stand as long as the statement runs.
final class Authorizer {
    enum Rules {
        /// The store's own statements.
        case own
        /// A transaction of the platform's: rows of the tables that are not Twinline's.
        case changes
        /// Definitions of such tables.
        case schema
        /// Reading.
        case query
    }

    private(set) var rules = Rules.own
    /// Why the statement that was prepared last was turned away, if it was by these rules.
    private(set) var denial: String?
    /// The tables whose definition it changes or takes away.
    private(set) var redefined: Set<String> = []
    /// The statement being prepared makes, changes or drops something, and so may SQLite's own steps for that.
    private var definesSomething = false
    private var createsTable = false

    init(_ connection: OpaquePointer) {
        sqlite3_set_authorizer(
            connection,
            { context, action, first, second, schema, _ in
                guard let context else { return SQLITE_DENY }
                // It lives as long as its connection, which closes before it goes.
                let authorizer = Unmanaged<Authorizer>.fromOpaque(context).takeUnretainedValue()
                return authorizer.allows(action, first, second, schema) ? SQLITE_OK : SQLITE_DENY
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Runs the body under these rules.
    func under<Value>(_ rules: Rules, _ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        let before = self.rules
        self.rules = rules
        defer { self.rules = before }
        return try body()
    }

    /// Before a statement is prepared.
    func begin() {
        denial = nil
        redefined = []
        (definesSomething, createsTable) = (false, false)
    }

    private typealias Text = UnsafePointer<CChar>

    private func allows(_ action: Int32, _ first: Text?, _ second: Text?, _ schema: Text?) -> Bool {
        if rules == .own { return true }
        let reason = refusal(action, first.map { String(cString: $0) } ?? "", second.map { String(cString: $0) } ?? "")
        // The first reason is what the statement is about.
        if denial == nil { denial = reason }
        if reason == nil, let schema, strcmp(schema, "temp") == 0, writes(action) {
            denial = denial ?? "temporary tables are not kept"
            return false
        }
        return reason == nil
    }

    private func writes(_ action: Int32) -> Bool {
        [SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE].contains(action) && rules == .changes
    }

    /// Nil: it may.
    private func refusal(_ action: Int32, _ first: String, _ second: String) -> String? {
        switch action {
        case SQLITE_SELECT where createsTable:
            return "CREATE TABLE AS makes a table without a key; create it, then fill it with INSERT … SELECT"
        case SQLITE_SELECT, SQLITE_READ, SQLITE_RECURSIVE: return nil
        case SQLITE_FUNCTION:
            return ["load_extension", "fts3_tokenizer"].contains(second.lowercased())
                ? "the function \(second) is not allowed" : nil
        case SQLITE_PRAGMA: return Self.harmless.contains(first.lowercased()) ? nil : "PRAGMA is not allowed"
        case SQLITE_TRANSACTION, SQLITE_SAVEPOINT:
            return "transactions and savepoints are Twinline's; all statements of a request are one"
        case SQLITE_ATTACH, SQLITE_DETACH: return "other databases can't be attached: they would not be replicated"
        case SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE: return refusalToChange(first)
        default: return rules == .schema ? refusalToDefine(action, first, second) : Self.isSchemaChange
        }
    }

    /// They read.
    private static let harmless: Set<String> = [
        "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
    ]
    private static let isSchemaChange = "it changes the schema; ask for that as a schema change, by itself"

    private func refusalToChange(_ table: String) -> String? {
        // SQLite notes each definition there, also that of json_each when it is met first; it lets no SQL write to it.
        if ["sqlite_master", "sqlite_temp_master"].contains(table) { return nil }
        switch rules {
        case .own: return nil
        case .query: return "a query changes nothing; send it as a transaction"
        case .changes: return Schema.isTwinlines(table) ? "\(table) is Twinline's own table; it may only be read" : nil
        case .schema:
            // SQLite empties a table that it drops, and counts what AUTOINCREMENT would.
            if definesSomething || table.hasPrefix("sqlite_") { return nil }
            return "it changes rows; send it as a transaction, after the schema change"
        }
    }

    private func refusalToDefine(_ action: Int32, _ first: String, _ second: String) -> String? {
        definesSomething = true
        switch action {
        case SQLITE_CREATE_TABLE:
            createsTable = true
            return refusal(ofName: first)
        case SQLITE_CREATE_VIEW: return refusal(ofName: first)
        case SQLITE_DROP_VIEW, SQLITE_REINDEX: return nil
        case SQLITE_DROP_TABLE:
            redefined.insert(first)
            return refusal(ofTable: first)
        case SQLITE_ALTER_TABLE:
            redefined.insert(second)
            return refusal(ofTable: second)
        case SQLITE_CREATE_INDEX, SQLITE_CREATE_TRIGGER, SQLITE_DROP_INDEX, SQLITE_DROP_TRIGGER:
            return refusal(ofName: first) ?? refusal(ofTable: second)
        case SQLITE_CREATE_TEMP_TABLE, SQLITE_CREATE_TEMP_INDEX, SQLITE_CREATE_TEMP_TRIGGER, SQLITE_CREATE_TEMP_VIEW,
            SQLITE_DROP_TEMP_TABLE, SQLITE_DROP_TEMP_INDEX, SQLITE_DROP_TEMP_TRIGGER, SQLITE_DROP_TEMP_VIEW:
            return "temporary tables, indexes, triggers and views are not kept"
        case SQLITE_CREATE_VTABLE, SQLITE_DROP_VTABLE:
            return "\(first) is a virtual table, which can't be replicated"
        case SQLITE_ANALYZE: return "ANALYZE is each node's own"
        default: return "it is no schema change"
        }
    }

    private func refusal(ofTable name: String) -> String? {
        Schema.isTwinlines(name) ? "\(name) is Twinline's own table; it may not be touched" : nil
    }

    private func refusal(ofName name: String) -> String? {
        // SQLite itself makes an index for a key, and looks after names that begin with sqlite_.
        if name.lowercased().hasPrefix("_twinline") { return "names that begin with _twinline are Twinline's" }
        return Schema.own.contains(name.lowercased()) ? refusal(ofTable: name) : nil
    }
}
