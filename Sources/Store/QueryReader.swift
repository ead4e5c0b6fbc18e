import Replication
import Tickets

/// The platform's queries, on a connection of their own that can't write, so that no ticket waits for them. Each sees
/// what is committed when it begins.
package final class QueryReader {
    private let connection: Connection
    private let clock: () -> Instant
    private let begin, end: Statement
    private let position: AppliedPosition

    package init(at path: String, clock: @escaping () -> Instant) throws(StoreError) {
        connection = try Connection.open(path, readOnly: true)
        self.clock = clock
        begin = try Statement(connection, "BEGIN")
        end = try Statement(connection, "COMMIT")
        position = try AppliedPosition(connection)
    }

    /// Where the database stood, and what was found or why it is refused.
    /// - Parameter goesOn: asked every now and then while it runs; false gives it up.
    /// - Throws: `StoreError` when the database can't be read, whatever the query.
    package func read(
        _ query: SQLQuery, _ goesOn: @escaping () -> Bool = { true }
    ) throws(StoreError) -> (Position, Result<SQLRows, Refusal>) {
        try connection.access { _ throws(StoreError) in
            try begin.run()
            defer { if connection.isInTransaction { try? end.run() } }
            return (try position.read(), try rows(query, goesOn))
        }
    }

    private func rows(
        _ query: SQLQuery, _ goesOn: @escaping () -> Bool
    ) throws(StoreError) -> Result<SQLRows, Refusal> {
        let watch = Watch(
            clock: clock, deadline: clock().advanced(byMilliseconds: UInt64(query.timeLimit)), isTooMuch: { !goesOn() })
        do throws(StoreError) {
            return try watch.over(connection) { () throws(StoreError) in
                try connection.authorizer.under(.query) { () throws(StoreError) in try run(query) }
            }
        } catch {
            if watch.verdict != nil { return .failure(.tookTooLong(statement: 1, milliseconds: query.timeLimit)) }
            if case .damaged = error { throw error }
            return .failure(.statementFailed(statement: 1, reason: error.reason))
        }
    }

    private func run(_ query: SQLQuery) throws(StoreError) -> Result<SQLRows, Refusal> {
        let statement = try Statement(only: query.sql, on: connection)
        guard statement.isReadOnly else {
            return .failure(.statementFailed(statement: 1, reason: "a query changes nothing; send it as a transaction"))
        }
        try statement.bind(query.parameters)
        var found = SQLRows(columns: statement.columns, rows: [])
        var room = SQLLimits.rows - found.columns.reduce(0) { $0 + $1.utf8.count + 8 }
        while try statement.step() {
            let row = statement.row(of: found.columns.count)
            room -= row.reduce(8) { $0 + $1.weight }
            if room < 0, found.rows.isEmpty { return .failure(.resultTooLarge(statement: 1, limit: SQLLimits.rows)) }
            guard room >= 0, found.rows.count < query.rowLimit else {
                found.isTruncated = true
                break
            }
            found.rows.append(row)
        }
        statement.reset()
        return .success(found)
    }
}

/// Where the database stands, for readers.
struct AppliedPosition {
    private let connection: Connection
    private let select: Statement

    init(_ connection: Connection) throws(StoreError) {
        self.connection = connection
        select = try Statement(connection, "SELECT epoch, lsn FROM _twinline_applied")
    }

    func read() throws(StoreError) -> Position {
        let position = try select.first { row in
            Position(Epoch(UInt64(bitPattern: row.integer(0))), LSN(UInt64(bitPattern: row.integer(1))))
        }
        guard let position else {
            throw .damaged(path: connection.path, message: "it does not say how far it is applied")
        }
        return position
    }
}
