import Replication
import Tickets

/// The platform's queries, on a connection of their own that can't write, so that no ticket waits for them. Each sees
/// what is committed when it begins.
package final class QueryReader {
    private let reading: ReadConnection
    private let clock: () -> Instant

    package init(at path: String, clock: @escaping () -> Instant) throws(StoreError) {
        reading = try ReadConnection(at: path)
        self.clock = clock
    }

    /// Where the database stood, and what was found or why it is refused.
    /// - Parameter goesOn: asked every now and then while it runs; false gives it up.
    /// - Throws: `StoreError` when the database can't be read, whatever the query.
    package func read(
        _ query: SQLQuery, _ goesOn: @escaping () -> Bool = { true }
    ) throws(StoreError) -> (Position, Result<SQLRows, Refusal>) {
        try reading.snapshot { position throws(StoreError) in (position, try rows(query, goesOn)) }
    }

    private func rows(
        _ query: SQLQuery, _ goesOn: @escaping () -> Bool
    ) throws(StoreError) -> Result<SQLRows, Refusal> {
        let watch = Watch(
            clock: clock, deadline: clock().advanced(byMilliseconds: UInt64(query.timeLimit)), isTooMuch: { !goesOn() })
        do throws(StoreError) {
            return try watch.over(reading.connection) { () throws(StoreError) in
                try reading.connection.authorizer.under(.query) { () throws(StoreError) in try run(query) }
            }
        } catch {
            if watch.verdict != nil { return .failure(.tookTooLong(statement: 1, milliseconds: query.timeLimit)) }
            if case .damaged = error { throw error }
            return .failure(.statementFailed(statement: 1, reason: error.reason))
        }
    }

    private func run(_ query: SQLQuery) throws(StoreError) -> Result<SQLRows, Refusal> {
        let statement = try Statement(only: query.sql, on: reading.connection)
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
