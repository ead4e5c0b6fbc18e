import Replication

/// What can go wrong with a node's database. The text ends with what to do.
package enum StoreError: Error, Equatable, Sendable {
    /// SQLite was built without a facility that the store can't do without.
    case libraryLacks(option: String)
    /// There is no database of this pair's kind at the path, or one where none should be.
    case cannotOpen(path: String, reason: String)
    /// The database's file is gone.
    case missing(path: String)
    case newerFormat(path: String, newest: Int64, found: Int64)
    /// A table that can't be replicated faithfully.
    case unsuitableTable(table: String, reason: String)
    /// A change that doesn't fit exactly one row with the old values.
    case copiesDiffer(table: String, key: String, operation: String, position: Position)
    case digestDiffers(position: Position, expected: Digest, found: Digest)
    case schemaVersionDiffers(position: Position, expected: UInt32, found: UInt32)
    /// A schema change that can't be made here, or leads to other definitions than on the other node.
    case schemaDiffers(position: Position, reason: String)
    /// An entry that doesn't follow what is applied.
    case outOfOrder(position: Position, applied: Position)
    /// A payload that isn't what its kind says, at this byte.
    case malformedEntry(position: Position, offset: Int)
    /// The changes of this table could not be captured, so the request was undone.
    case notCaptured(table: String)
    case diskFull(path: String)
    case inputOutput(path: String, code: Int32, message: String)
    /// The file is not a sound database.
    case damaged(path: String, message: String)
    case sessionsExhausted
    case sql(code: Int32, message: String)
}

extension StoreError {
    /// Whether the whole transaction is at stake, not only the request that met the error.
    var endsTransaction: Bool {
        switch self {
        case .diskFull, .inputOutput, .damaged: true
        case .libraryLacks, .cannotOpen, .missing, .newerFormat, .unsuitableTable, .copiesDiffer, .digestDiffers,
            .schemaVersionDiffers, .schemaDiffers, .outOfOrder, .malformedEntry, .notCaptured, .sessionsExhausted,
            .sql:
            false
        }
    }
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .libraryLacks(let option):
            "The SQLite library was built without \(option): install one that has it, such as Debian's libsqlite3-0."
        case .cannotOpen(let path, let reason):
            "Can't open the database \(path): \(reason). Check the path and its owner, or reseed this node."
        case .missing(let path):
            "The database \(path) is missing: restore the whole data directory, or twinline reseed."
        case .newerFormat(let path, let newest, let found):
            "The database \(path) has format \(found), this program knows up to \(newest): update this node."
        case .unsuitableTable(let table, let reason):
            "The table \(table) can't be replicated: \(reason). Change it, or begin its name with _twinline."
        case .copiesDiffer(let table, let key, let operation, let position):
            "The copies differ: \(operation) in \(table), key \(key), does not fit at \(position). Reseed this node."
        case .digestDiffers(let position, let expected, let found):
            "The copies differ: the digest after \(position) is \(found), not \(expected). Reseed this node."
        case .schemaVersionDiffers(let position, let expected, let found):
            "Entry \(position) is for schema version \(expected), the database has \(found). Reseed this node."
        case .schemaDiffers(let position, let reason):
            "The schema change \(position) does not fit here: \(reason). Give both nodes the same SQLite, then reseed."
        case .outOfOrder(let position, let applied):
            "Entry \(position) does not follow \(applied), the last one applied. Restart this node."
        case .malformedEntry(let position, let offset):
            "Entry \(position) is malformed at byte \(offset) of its payload. Reseed this node."
        case .notCaptured(let table):
            "A change of the table \(table) could not be captured. Restart this node."
        case .diskFull(let path): "The disk of \(path) is full. Make room; a node that has ended is then started again."
        case .inputOutput(let path, let code, let message):
            "The disk of \(path) failed: \(message) (\(code)). Check the disk before this node is started again."
        case .damaged(let path, let message):
            "The database \(path) is damaged: \(message). Reseed this node."
        case .sessionsExhausted: "No session numbers are left. Restore the pair into a new pair id."
        case .sql(let code, let message):
            "SQLite refused a statement: \(message) (\(code)). Report it with this text."
        }
    }
}
