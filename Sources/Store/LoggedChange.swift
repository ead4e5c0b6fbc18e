import Replication

/// A change of one row as an entry of the log holds it: for people, and for their tools.
package struct LoggedChange: Equatable, Sendable {
    package enum Operation: String, Sendable { case insert, update, delete }

    package enum Value: Equatable, Sendable {
        case null
        case integer(Int64)
        case real(Double)
        case text(String)
        case blob([UInt8])
    }

    package struct Column: Equatable, Sendable {
        package var name: String
        package var isKey: Bool
        /// Nil where the entry does not tell: a new row has no old value, and a key does not change.
        package var old, new: Value?
    }

    package var table: String
    package var operation: Operation
    /// Those that the entry tells of, in the table's order: all of a row that comes or goes, otherwise the key and what
    /// has changed.
    package var columns: [Column]

    package subscript(_ name: String) -> Column? { columns.first { $0.name == name } }
}

/// The columns' names, which a changeset leaves out: those of the schema that every pair begins with, and of the schema
/// changes that were met on the way through the log.
package final class LoggedSchema {
    private let tables: ReplicatedDatabase

    package init() throws(StoreError) { tables = try ReplicatedDatabase.create(at: ":memory:") }

    /// What an entry changes, in its order; nothing, for a mark. A schema change is taken note of.
    /// - Throws: `malformedEntry`.
    package func changes(in entry: Entry) throws(StoreError) -> [LoggedChange] {
        switch entry.kind {
        case .mark, .forcedMark: return []
        case .schema:
            guard let change = SchemaChange(payload: entry.payload) else {
                throw .malformedEntry(position: entry.position, offset: 0)
            }
            follow(change, entry)
            return try changes(change.changeset, entry.position)
        case .changes: return try changes(entry.payload, entry.position)
        }
    }

    private func changes(_ changeset: [UInt8], _ position: Position) throws(StoreError) -> [LoggedChange] {
        let result = changeset.withUnsafeBytes { bytes in
            Result<[LoggedChange], StoreError> { () throws(StoreError) in try changes(bytes, position) }
        }
        return try result.get()
    }

    /// One that does not fit what was seen before only leaves columns without a name.
    private func follow(_ change: SchemaChange, _ entry: Entry) {
        if entry.schemaVersion == tables.schemaVersion { try? tables.take(change) }
    }

    private func changes(
        _ bytes: UnsafeRawBufferPointer, _ position: Position
    ) throws(StoreError) -> [LoggedChange] {
        var reader = ChangesetReader(bytes)
        var changes: [LoggedChange] = []
        var table: (name: String, columns: [LoggedChange.Column])?
        let old = UnsafeMutablePointer<CellValue>.allocate(capacity: 2 * ReplicatedTable.columnLimit)
        defer { old.deallocate() }
        let new = old + ReplicatedTable.columnLimit
        do {
            while true {
                let step = try reader.next()
                if case .end = step { return changes }
                if case .table(let header) = step {
                    table = described(header)
                    continue
                }
                guard let table else { throw ChangesetReader.Malformed(offset: reader.offset) }
                let count = table.columns.count
                for index in 0..<count { (old[index], new[index]) = (.undefined, .undefined) }
                let operation: LoggedChange.Operation
                switch step {
                case .insert: operation = .insert
                case .delete: operation = .delete
                default: operation = .update
                }
                if operation != .insert { try reader.values(old, columns: count) }
                if operation != .delete { try reader.values(new, columns: count) }
                var columns = table.columns
                for index in 0..<count {
                    (columns[index].old, columns[index].new) = (.init(old[index]), .init(new[index]))
                }
                columns.removeAll { $0.old == nil && $0.new == nil }
                changes.append(LoggedChange(table: table.name, operation: operation, columns: columns))
            }
        } catch let error as ChangesetReader.Malformed {
            throw .malformedEntry(position: position, offset: error.offset)
        } catch {
            // The one above is all that can be thrown.
            throw .malformedEntry(position: position, offset: reader.offset)
        }
    }

    /// - Parameter header: 'T', the number of columns in one byte or more, a byte for each, the name, a zero.
    private func described(_ header: UnsafeRawBufferPointer) -> (name: String, columns: [LoggedChange.Column]) {
        let counted = 1 + header.dropFirst().prefix { $0 & 0x80 != 0 }.count
        let count = Int(header[counted] & 0x7f)
        let name = String(decoding: header[(counted + 1 + count)...].dropLast(), as: UTF8.self)
        let known = tables.tables.first { $0.header.elementsEqual(header) }
        return (
            name,
            (0..<count).map { index in
                LoggedChange.Column(
                    name: known?.columns[index].name ?? "column \(index + 1)", isKey: header[counted + 1 + index] > 0)
            }
        )
    }
}

extension LoggedChange.Value {
    /// Nil for what is not part of the change. Copies texts and blobs.
    init?(_ value: CellValue) {
        switch value {
        case .undefined: return nil
        case .null: self = .null
        case .integer(let integer): self = .integer(integer)
        case .real(let real): self = .real(real)
        case .text(let bytes): self = .text(String(decoding: bytes, as: UTF8.self))
        case .blob(let bytes): self = .blob([UInt8](bytes))
        }
    }
}
