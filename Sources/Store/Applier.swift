import Glibc
import Planted
import Replication

/// Applies changesets with statements that are prepared once for each table, operation and set of changed columns.
///
/// Each change must fit exactly one row, with the old values that the changeset names. One that doesn't means that
/// the copies differ, and is never made to fit.
final class Applier {
    private let connection: Connection
    private let targets: [Target]
    private let old, new: UnsafeMutablePointer<CellValue>

    init(_ connection: Connection, tables: [ReplicatedTable]) throws(StoreError) {
        self.connection = connection
        var targets: [Target] = []
        for table in tables { targets.append(try Target(table, connection)) }
        self.targets = targets
        old = .allocate(capacity: ReplicatedTable.columnLimit)
        new = .allocate(capacity: ReplicatedTable.columnLimit)
    }

    deinit {
        old.deallocate()
        new.deallocate()
    }

    /// Applies one changeset inside the open transaction, and brings the digest up to date in passing.
    func apply(_ payload: [UInt8], at position: Position, digest: inout Digest) throws(StoreError) {
        let result = payload.withUnsafeBytes { bytes in
            Result<Digest, StoreError> { () throws(StoreError) in
                var after = digest
                try apply(bytes, at: position, digest: &after)
                return after
            }
        }
        digest = try result.get()
    }

    private func apply(
        _ bytes: UnsafeRawBufferPointer, at position: Position, digest: inout Digest
    ) throws(StoreError) {
        var reader = ChangesetReader(bytes)
        var target: Target?
        do {
            while true {
                switch try reader.next() {
                case .end: return
                case .table(let header):
                    // To the last byte: another column or another key is another table.
                    target = targets.first { $0.table.header.elementsEqual(header) }
                    _ = try known(target, reader)
                case .insert:
                    let target = try known(target, reader)
                    try reader.values(new, columns: target.table.columns.count)
                    try insert(target, position)
                    digest.add(target.table.digest(of: new))
                case .delete:
                    let target = try known(target, reader)
                    try reader.values(old, columns: target.table.columns.count)
                    try delete(target, position)
                    digest.subtract(target.table.digest(of: old))
                case .update:
                    let target = try known(target, reader)
                    try reader.values(old, columns: target.table.columns.count)
                    try reader.values(new, columns: target.table.columns.count)
                    digest.add(try update(target, position, reader))
                }
            }
        } catch let error as ChangesetReader.Malformed {
            throw .malformedEntry(position: position, offset: error.offset)
        } catch let error as StoreError {
            throw error
        } catch {
            // The two above are all that can be thrown.
            throw .malformedEntry(position: position, offset: reader.offset)
        }
    }

    private func known(_ target: Target?, _ reader: ChangesetReader) throws(ChangesetReader.Malformed) -> Target {
        guard let target else { throw ChangesetReader.Malformed(offset: reader.offset) }
        return target
    }

    private func insert(_ target: Target, _ position: Position) throws(StoreError) {
        for index in target.table.columns.indices { try target.insert.bind(Int32(index + 1), borrowed: new[index]) }
        try run(target.insert, "INSERT", target, new, position)
    }

    private func delete(_ target: Target, _ position: Position) throws(StoreError) {
        for index in target.table.columns.indices { try target.delete.bind(Int32(index + 1), borrowed: old[index]) }
        try run(target.delete, "DELETE", target, old, position)
    }

    private func update(
        _ target: Target, _ position: Position, _ reader: ChangesetReader
    ) throws(StoreError) -> UInt128 {
        let columns = target.table.columns
        var changed: UInt64 = 0
        for index in columns.indices {
            if case .undefined = new[index] { continue }
            changed |= 1 << index
        }
        // Another key would be another row, and an UPDATE of nothing is none.
        guard changed != 0, changed & target.table.keyMask == 0 else {
            throw .malformedEntry(position: position, offset: reader.offset)
        }
        let statement = try target.update(of: changed, connection)
        let compared = changed | target.table.keyMask
        for index in columns.indices {
            if changed >> index & 1 == 1 { try statement.bind(Int32(index + 1), borrowed: new[index]) }
            if compared >> index & 1 == 1 {
                try statement.bind(Int32(columns.count + index + 1), borrowed: old[index])
            }
        }
        try run(statement, "UPDATE", target, old, position)
        return target.table.digest(of: changed, old, new)
    }

    private func run(
        _ statement: Statement, _ operation: String, _ target: Target, _ values: UnsafeMutablePointer<CellValue>,
        _ position: Position
    ) throws(StoreError) {
        do {
            try statement.run()
            if connection.changes == 1 || planted("makeTheChangeFit") { return }
        } catch {
            // A constraint that the primary's copy did not violate.
            guard case .sql = error else { throw error }
        }
        let key = target.table.columns.indices.filter { target.table.columns[$0].isKey }.map { values[$0].literal }
        throw .copiesDiffer(
            table: target.table.name, key: key.joined(separator: ", "), operation: operation, position: position)
    }
}

/// One table with its statements.
private final class Target {
    let table: ReplicatedTable
    let insert, delete: Statement
    /// By the set of columns that change.
    private var updates: [UInt64: Statement] = [:]

    init(_ table: ReplicatedTable, _ connection: Connection) throws(StoreError) {
        self.table = table
        let places = table.columns.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
        insert = try Statement(connection, "INSERT INTO \(quoted(table.name)) VALUES (\(places))")
        let all = table.columns.indices.map { "\(quoted(table.columns[$0].name)) IS ?\($0 + 1)" }
        delete = try Statement(
            connection, "DELETE FROM \(quoted(table.name)) WHERE \(all.joined(separator: " AND "))")
    }

    func update(of changed: UInt64, _ connection: Connection) throws(StoreError) -> Statement {
        if let statement = updates[changed] { return statement }
        let columns = table.columns
        let assignments = columns.indices.filter { changed >> $0 & 1 == 1 }
            .map { "\(quoted(columns[$0].name)) = ?\($0 + 1)" }
        let conditions = columns.indices.filter { (changed | table.keyMask) >> $0 & 1 == 1 }
            .map { "\(quoted(columns[$0].name)) IS ?\(columns.count + $0 + 1)" }
        let statement = try Statement(
            connection,
            """
            UPDATE \(quoted(table.name)) SET \(assignments.joined(separator: ", "))
            WHERE \(conditions.joined(separator: " AND "))
            """)
        updates[changed] = statement
        return statement
    }
}

func quoted(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}
