import CSQLiteSession
import Glibc
import Replication

/// Turns each row that SQLite is about to change into its piece of changeset and its part of the digest.
///
/// Nothing is allocated for a row: its values are read where SQLite holds them, hashed, and copied once.
struct ChangeRecorder: ~Copyable {
    private(set) var changes = ChangesetBuffer()
    var digest = Digest.zero
    /// A table that is neither replicated nor local: its change could not be captured.
    private(set) var missed: String?
    private var tables: [ReplicatedTable]
    /// The table of the last header in the changeset; none at its begin, and after whatever cut its end off.
    private var current: Int?
    /// The row's values, as SQLite lends them while the hook runs.
    private let old, new: UnsafeMutablePointer<CellValue>

    init(tables: [ReplicatedTable]) {
        self.tables = tables
        old = .allocate(capacity: ReplicatedTable.columnLimit)
        new = .allocate(capacity: ReplicatedTable.columnLimit)
    }

    deinit {
        old.deallocate()
        new.deallocate()
    }

    /// Where a savepoint begins.
    struct Mark {
        fileprivate let count: Int
        fileprivate let digest: Digest
    }

    var mark: Mark { Mark(count: changes.count, digest: digest) }

    /// What was recorded since did not happen: a savepoint was rolled back, or a statement failed.
    mutating func truncate(to mark: Mark) {
        changes.truncate(to: mark.count)
        digest = mark.digest
        missed = nil
        // The last header may have been cut off.
        current = nil
    }

    mutating func begin(digest: Digest) { truncate(to: Mark(count: 0, digest: digest)) }

    mutating func record(_ connection: OpaquePointer?, operation: Int32, table name: UnsafePointer<CChar>) {
        guard let index = index(of: name) else { return }
        let table = tables[index]
        let mark = changes.count
        if index != current {
            changes.append(table.header)
            current = index
        }
        let isIndirect: UInt8 = sqlite3_preupdate_depth(connection) > 0 ? 1 : 0
        switch operation {
        case SQLITE_INSERT:
            read(table, into: new) { sqlite3_preupdate_new(connection, $0, &$1) }
            insert(table, isIndirect)
        case SQLITE_DELETE:
            read(table, into: old) { sqlite3_preupdate_old(connection, $0, &$1) }
            delete(table, isIndirect)
        default:
            read(table, into: old) { sqlite3_preupdate_old(connection, $0, &$1) }
            read(table, into: new) { sqlite3_preupdate_new(connection, $0, &$1) }
            update(table, isIndirect, else: mark)
        }
    }

    @inline(__always)
    private func read(
        _ table: ReplicatedTable, into values: UnsafeMutablePointer<CellValue>,
        _ fetch: (Int32, inout OpaquePointer?) -> Int32
    ) {
        for index in table.columns.indices {
            var value: OpaquePointer?
            // Fails only for a column that the table doesn't have.
            guard fetch(Int32(index), &value) == SQLITE_OK else {
                values[index] = .null
                continue
            }
            values[index] = CellValue(value, isReal: table.columns[index].isReal)
        }
    }

    private mutating func insert(_ table: ReplicatedTable, _ isIndirect: UInt8) {
        changes.append(UInt8(SQLITE_INSERT))
        changes.append(isIndirect)
        for index in table.columns.indices { changes.append(new[index]) }
        digest.add(table.digest(of: new))
    }

    private mutating func delete(_ table: ReplicatedTable, _ isIndirect: UInt8) {
        changes.append(UInt8(SQLITE_DELETE))
        changes.append(isIndirect)
        for index in table.columns.indices { changes.append(old[index]) }
        digest.subtract(table.digest(of: old))
    }

    private mutating func update(_ table: ReplicatedTable, _ isIndirect: UInt8, else mark: Int) {
        var changed: UInt64 = 0
        for index in table.columns.indices where !old[index].isIdentical(to: new[index]) { changed |= 1 << index }
        guard changed != 0 else {
            if changes.count > mark { current = nil }
            return changes.truncate(to: mark)
        }
        // Another key is another row.
        guard changed & table.keyMask == 0 else {
            delete(table, isIndirect)
            return insert(table, isIndirect)
        }
        changes.append(UInt8(SQLITE_UPDATE))
        changes.append(isIndirect)
        for index in table.columns.indices {
            changes.append((changed | table.keyMask) >> index & 1 == 1 ? old[index] : .undefined)
        }
        for index in table.columns.indices { changes.append(changed >> index & 1 == 1 ? new[index] : .undefined) }
        let change = table.digest(of: changed, old, new)
        digest.add(change)
    }

    /// Nil for a table that is not replicated.
    @inline(__always)
    private mutating func index(of name: UnsafePointer<CChar>) -> Int? {
        if let current, tables[current].isNamed(name) { return current }
        if let index = tables.firstIndex(where: { $0.isNamed(name) }) { return index }
        let text = String(cString: name)
        if !ReplicatedTable.isLocal(text) { missed = text }
        return nil
    }
}

extension ReplicatedTable {
    /// The header ends with the name and a zero.
    @inline(__always)
    fileprivate func isNamed(_ name: UnsafePointer<CChar>) -> Bool {
        header.withUnsafeBufferPointer { header in
            guard let start = header.baseAddress else { return false }
            return strcmp(UnsafeRawPointer(start + 2 + columns.count).assumingMemoryBound(to: CChar.self), name) == 0
        }
    }
}
