import CSQLiteSession
import GRDB

/// What capture, applying and the digest need to know of one replicated table.
final class ReplicatedTable {
    struct Column {
        let name: String
        /// Place in the primary key, from 1; 0 outside it.
        let keyPosition: UInt8
        var isKey: Bool { keyPosition > 0 }
        /// REAL affinity.
        let isReal: Bool
        /// The name, as the digest's cells have it.
        let hash: UInt64
    }

    let name: String
    let columns: [Column]
    /// One bit for each column of the primary key.
    let keyMask: UInt64
    /// The digest's state before a row's key is fed.
    let hash: CellHash
    /// The table's header in a changeset: 'T', number of columns, one byte each (place in the key), the name, a zero.
    let header: [UInt8]

    /// The highest number of columns: those changed by an UPDATE are counted in the bits of a word.
    static let columnLimit = 64

    init(name: String, columns: [Column]) {
        self.name = name
        self.columns = columns
        keyMask = columns.indices.reduce(0) { columns[$1].isKey ? $0 | 1 << $1 : $0 }
        hash = CellHash(table: name)
        header = [UInt8(ascii: "T"), UInt8(columns.count)] + columns.map(\.keyPosition) + name.utf8 + [0]
    }
}

extension ReplicatedTable {
    /// All tables but SQLite's own and this node's own, in the order of their names.
    /// - Throws: `StoreError.unsuitableTable` for the first one that can't be replicated faithfully.
    static func all(_ database: Database, _ connection: Connection) throws(StoreError) -> [ReplicatedTable] {
        let rows = try fetch(database, connection) { database in
            try Row.fetchAll(
                database,
                sql: "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type <> 'view' ORDER BY name")
        }
        var tables: [ReplicatedTable] = []
        for row in rows {
            let name: String = row["name"], type: String = row["type"]
            if isLocal(name) { continue }
            guard type == "table" else {
                throw .unsuitableTable(table: name, reason: "it is a \(type) table")
            }
            tables.append(try ReplicatedTable(name, database, connection))
        }
        return tables
    }

    static func isLocal(_ name: String) -> Bool { name.hasPrefix("_twinline") || name.hasPrefix("sqlite_") }

    private convenience init(_ name: String, _ database: Database, _ connection: Connection) throws(StoreError) {
        let rows = try Self.fetch(database, connection) { database in
            try Row.fetchAll(
                database, sql: "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid",
                arguments: [name])
        }
        func refused(_ reason: String) -> StoreError { .unsuitableTable(table: name, reason: reason) }
        var columns: [Column] = []
        for row in rows {
            let column: String = row["name"], type: String = row["type"], position: UInt8 = row["pk"]
            let isNotNull: Bool = row["notnull"]
            guard row["hidden"] == 0 else { throw refused("its column \(column) is generated") }
            if position > 0, !isNotNull { throw refused("its key column \(column) is not declared NOT NULL") }
            guard !connection.isAutoincrement(table: name, column: column) else {
                throw refused("its column \(column) is AUTOINCREMENT, whose counter can't be replicated")
            }
            columns.append(
                Column(
                    name: column, keyPosition: position, isReal: hasRealAffinity(type),
                    hash: CellHash.column(column)))
        }
        guard columns.contains(where: \.isKey) else { throw refused("it has no primary key") }
        guard columns.count <= Self.columnLimit else { throw refused("it has more than \(Self.columnLimit) columns") }
        self.init(name: name, columns: columns)
    }

    private static func fetch<Value>(
        _ database: Database, _ connection: Connection, _ body: (Database) throws -> Value
    ) throws(StoreError) -> Value {
        do { return try body(database) } catch {
            throw (error as? DatabaseError).map { connection.error($0.extendedResultCode.rawValue) }
                ?? .sql(code: SQLITE_ERROR, message: "\(error)")
        }
    }
}

/// SQLite's rules of affinity (datatype3.html, section 3.1), as far as REAL.
private func hasRealAffinity(_ declaredType: String) -> Bool {
    let type = declaredType.uppercased()
    if ["INT", "CHAR", "CLOB", "TEXT", "BLOB"].contains(where: type.contains) { return false }
    return ["REAL", "FLOA", "DOUB"].contains(where: type.contains)
}

extension Connection {
    fileprivate func isAutoincrement(table: String, column: String) -> Bool {
        var isAutoincrement: Int32 = 0
        sqlite3_table_column_metadata(raw, "main", table, column, nil, nil, nil, nil, &isAutoincrement)
        return isAutoincrement != 0
    }
}
