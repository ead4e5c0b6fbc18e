import CSQLiteSession
import Replication
import Tickets
import Wire

/// Schema changes, the same on both nodes.
extension ReplicatedDatabase {
    /// Which statement, counted from 1, can't be run, and why.
    struct SchemaFailure: Error {
        var statement: Int
        var reason: String
    }

    /// Runs the SQL inside the open transaction, without capture and without triggers, and brings the digest up to
    /// date: only the tables whose definition changes are read for that, before and after.
    /// - Throws: `StoreError` when the transaction is lost. What can't be done is returned.
    func define(_ sql: String, after before: Standing) throws(StoreError) -> Result<Standing, SchemaFailure> {
        // The statements of either role were prepared for the tables as they were.
        role = .none
        twinline_enable_triggers(connection.raw, 0)
        twinline_enforce_foreign_keys(connection.raw, 0)
        var change = Definition(standing: before, tables: tables)
        do throws(StoreError) {
            try connection.authorizer.under(.schema) { () throws(StoreError) in try run(sql, &change) }
            let after = try ReplicatedTable.all(connection)
            for table in after where change.isNew(table) {
                if let before = change.tables[table.name], table.columns.count > before.columns.count {
                    try completeRows(of: table)
                }
                change.standing.digest.add(try table.sum(on: connection))
            }
            tables = after
            change.standing.schemaVersion += 1
            return .success(change.standing)
        } catch {
            if error.endsTransaction { throw error }
            return .failure(SchemaFailure(statement: max(1, change.statement), reason: error.reason))
        }
    }

    /// The definitions alone, at once: for a database without rows that only follows them.
    func take(_ change: SchemaChange) throws(StoreError) {
        let tablesBefore = tables
        try connection.access { _ throws(StoreError) in
            do throws(StoreError) {
                try transaction.begin()
                guard case .success(var after) = try define(change.sql, after: standing) else {
                    return abandonTransaction(tablesBefore: tablesBefore)
                }
                after.position = Position(Epoch(1), applied.lsn.next)
                try commitTransaction(after)
            } catch {
                abandonTransaction(tablesBefore: tablesBefore)
                throw error
            }
        }
    }

    /// `ALTER TABLE … ADD COLUMN` leaves the rows as they are on the disk, and the preupdate hook then shows NULL
    /// for a default value that a SELECT shows. Written anew, the rows hold it.
    private func completeRows(of table: ReplicatedTable) throws(StoreError) {
        guard let last = table.columns.last else { return }
        try connection.execute(
            "UPDATE \(quoted(table.name)) SET \(quoted(last.name)) = \(quoted(last.name))")
    }

    private func run(_ sql: String, _ change: inout Definition) throws(StoreError) {
        let localBefore = try connection.authorizer.under(.own) { () throws(StoreError) in try localTables() }
        try Array(sql.utf8CString).withUnsafeBufferPointer { buffer throws(StoreError) in
            var next = buffer.baseAddress
            while let current = next, current[0] != 0 {
                guard let statement = try prepare(current, &next, &change) else { continue }
                try statement.run()
                // So that it is known which of them makes a table that can't be kept.
                try connection.authorizer.under(.own) { () throws(StoreError) in
                    _ = try ReplicatedTable.all(connection)
                    guard try localTables() == localBefore else {
                        throw .sql(code: SQLITE_AUTH, message: "names that begin with _twinline are Twinline's")
                    }
                }
            }
        }
    }

    /// Nil for nothing but space, or a comment.
    private func prepare(
        _ sql: UnsafePointer<CChar>, _ next: inout UnsafePointer<CChar>?, _ change: inout Definition
    ) throws(StoreError) -> Statement? {
        let authorizer = connection.authorizer
        authorizer.begin()
        var raw: OpaquePointer?
        let code = sqlite3_prepare_v2(connection.raw, sql, -1, &raw, &next)
        guard code == SQLITE_OK else {
            change.statement += 1
            throw authorizer.denial.map { .sql(code: SQLITE_AUTH, message: $0) } ?? connection.error(code)
        }
        guard let raw else { return nil }
        change.statement += 1
        let statement = Statement(connection, prepared: raw)
        guard sqlite3_stmt_readonly(raw) == 0 else {
            throw .sql(code: SQLITE_MISUSE, message: "it is no schema change")
        }
        for name in authorizer.redefined where change.redefined.insert(name).inserted {
            guard let table = change.tables[name] else { continue }
            let sum = try authorizer.under(.own) { () throws(StoreError) in try table.sum(on: connection) }
            change.standing.digest.subtract(sum)
        }
        return statement
    }

    private func localTables() throws(StoreError) -> [String] {
        let select = try Statement(
            connection, "SELECT name FROM sqlite_schema WHERE lower(name) GLOB '_twinline*' ORDER BY name")
        var names: [String] = []
        while try select.step() { names.append(select.text(0)) }
        return names
    }

    /// Of all definitions but this node's own: SipHash-2-4-64, under a key of its own, over a line for each of SQLite's
    /// objects (type, name, table) and for each column of each table (table, column, place in the key, whether REAL),
    /// in the order of their names. What differs between two versions of SQLite, such as how it writes a definition
    /// down, is left out.
    func signature() throws(StoreError) -> UInt64 {
        var hash = SipHash(k0: 0x5477_696e_6c69_6e65, k1: 0x2064_6566_696e_6573, wide: false)
        func add(_ line: String) {
            var line = line + "\n"
            line.withUTF8 { hash.combine(UnsafeRawBufferPointer($0)) }
        }
        let select = try Statement(
            connection,
            """
            SELECT type, name, tbl_name FROM sqlite_schema WHERE NOT lower(tbl_name) GLOB '_twinline*'
            AND NOT name GLOB 'sqlite_*' ORDER BY type, name
            """)
        while try select.step() { add("\(select.text(0)) \(select.text(1)) \(select.text(2))") }
        for table in tables {
            for column in table.columns {
                add("\(table.name) \(column.name) \(column.keyPosition) \(column.isReal)")
            }
        }
        return hash.finalize64()
    }
}

/// A schema change while it runs.
private struct Definition {
    var standing: ReplicatedDatabase.Standing
    /// As they were before, by name.
    let tables: [String: ReplicatedTable]
    /// Those that were summed before they changed or went, and names that were none of `tables`.
    var redefined: Set<String> = []
    /// The one being run, counted from 1.
    var statement = 0

    init(standing: ReplicatedDatabase.Standing, tables: [ReplicatedTable]) {
        self.standing = standing
        self.tables = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0) })
    }

    /// What it adds to the digest is to be summed.
    func isNew(_ table: ReplicatedTable) -> Bool { tables[table.name] == nil || redefined.contains(table.name) }
}

extension StoreError {
    /// For whoever sent the SQL: without what an operator of the node should do, and not as long as the SQL, which may
    /// be quoted in it.
    var reason: String {
        let words = fullReason
        return words.utf8.count <= 1000 ? words : words.prefix(250) + "…"
    }

    private var fullReason: String {
        switch self {
        case .sql(_, let message): message
        case .unsuitableTable(let table, let reason): "the table \(table) can't be replicated: \(reason)"
        default: "\(self)"
        }
    }
}
