/// One value of SQLite's five kinds.
public enum SQLValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    /// Bytes that are not UTF-8 come as replacement characters.
    case text(String)
    case blob([UInt8])
}

/// One statement of a transaction on the platform's tables beside the tickets.
public struct SQLStatement: Equatable, Sendable {
    /// Exactly one statement, SQLite's dialect. It is not refused for being non-deterministic: rows are shipped to the
    /// other node, not statements, so `random()` and `datetime('now')` are the same there.
    public var sql: String
    /// One for each `?`, in their order.
    public var parameters: [SQLValue]
    /// How many rows it must change, or, if it gives rows, give. If it doesn't, the whole transaction is undone.
    public var expect: Int64?

    public init(_ sql: String, _ parameters: [SQLValue] = [], expect: Int64? = nil) {
        (self.sql, self.parameters, self.expect) = (sql, parameters, expect)
    }
}

/// What one statement did.
public struct StatementResult: Equatable, Sendable {
    /// Rows changed; those that triggers changed are not counted.
    public var changes: Int64
    /// What RETURNING, or a SELECT, gave. No columns: it gives no rows.
    public var columns: [String]
    public var rows: [[SQLValue]]

    public init(changes: Int64, columns: [String] = [], rows: [[SQLValue]] = []) {
        (self.changes, self.columns, self.rows) = (changes, columns, rows)
    }
}

/// A read-only statement.
public struct SQLQuery: Equatable, Sendable {
    public var sql: String
    public var parameters: [SQLValue]
    /// The answer ends after so many rows and says that there are more.
    public var rowLimit: Int
    /// Milliseconds after which it is given up. One that takes long keeps the write-ahead log of SQLite from starting
    /// over meanwhile.
    public var timeLimit: Int

    public static let usualRowLimit = 1000, highestRowLimit = 100_000
    public static let usualTimeLimit = 5000, highestTimeLimit = 60_000

    public init(
        _ sql: String, _ parameters: [SQLValue] = [], rowLimit: Int = usualRowLimit, timeLimit: Int = usualTimeLimit
    ) {
        (self.sql, self.parameters, self.rowLimit, self.timeLimit) = (sql, parameters, rowLimit, timeLimit)
    }
}

/// What a query found.
public struct SQLRows: Equatable, Sendable {
    public var columns: [String]
    public var rows: [[SQLValue]]
    /// There are more: the row limit was met, or 4 MiB.
    public var isTruncated: Bool
    /// Where the database stood: the node had applied everything up to here, and nothing after it.
    public var epoch: UInt64, lsn: UInt64

    public init(columns: [String], rows: [[SQLValue]], isTruncated: Bool = false, epoch: UInt64 = 0, lsn: UInt64 = 0) {
        (self.columns, self.rows, self.isTruncated) = (columns, rows, isTruncated)
        (self.epoch, self.lsn) = (epoch, lsn)
    }
}

/// How much SQL may be asked for at once.
public enum SQLLimits {
    /// Bytes of one statement, or of one schema change.
    public static let sql = 1 << 20
    /// Statements in one transaction.
    public static let statements = 1000
    /// Values for one statement; SQLite's own limit.
    public static let parameters = 32_766
    /// Bytes of a value, and of a row.
    public static let row = 4 << 20
    /// Bytes that one transaction may give back: its answer is stored with what it changes.
    public static let answer = 1 << 20
    /// Bytes that a query may give back.
    public static let rows = 4 << 20
    /// Bytes of changes that one transaction may make, as they are shipped: an import. With what shares its entry it
    /// stays below the 64 MiB of that.
    public static let changes = 56 << 20
    /// Milliseconds that one transaction may take: it holds up every other.
    public static let time = 5000
}

extension SQLValue {
    /// Bytes that it may take in a message, at most.
    package var weight: Int {
        switch self {
        case .null, .integer, .real: 16
        case .text(let text): 16 + text.utf8.count
        case .blob(let bytes): 16 + bytes.count
        }
    }
}
