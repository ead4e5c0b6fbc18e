import CSQLiteSession

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
    static func all(_ connection: Connection) throws(StoreError) -> [ReplicatedTable] {
        let select = try Statement(
            connection,
            "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type <> 'view' ORDER BY name")
        var found: [(name: String, type: String)] = []
        while try select.step() { found.append((select.text(0), select.text(1))) }
        var tables: [ReplicatedTable] = []
        for (name, type) in found where !isLocal(name) {
            guard type == "table" else {
                throw .unsuitableTable(table: name, reason: "it is a \(type) table")
            }
            tables.append(try ReplicatedTable(name, connection))
        }
        return tables
    }

    static func isLocal(_ name: String) -> Bool { name.hasPrefix("_twinline") || name.hasPrefix("sqlite_") }

    private convenience init(_ name: String, _ connection: Connection) throws(StoreError) {
        let select = try Statement(
            connection, "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?1) ORDER BY cid")
        try select.bind(1, name)
        func refused(_ reason: String) -> StoreError { .unsuitableTable(table: name, reason: reason) }
        var columns: [Column] = []
        while try select.step() {
            // More columns than a changeset's header counts may be in the key.
            let column = select.text(0), type = select.text(1), position = UInt8(clamping: select.integer(3))
            let isNotNull = select.integer(2) != 0
            guard select.integer(4) == 0 else { throw refused("its column \(column) is generated") }
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
