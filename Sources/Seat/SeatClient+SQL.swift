import Tickets
import Wire

/// SQL on the platform's tables beside the tickets: for certificates of the role service.
extension SeatClient {
    /// Of a schema change, when the caller gives none: an index of a large table takes its time.
    public static let schemaPatience = Duration.seconds(600)

    /// Runs the statements in one transaction, once: all of them, or none.
    ///
    /// They may be non-deterministic (`random()`, `datetime('now')`): the other node gets the rows that they changed,
    /// and not the statements. Twinline's own tables may be read, not written.
    /// - Returns: one for each statement: the rows that it changed, and those that RETURNING or a SELECT gave. The same
    ///   however often it is asked for.
    /// - Throws: `SeatError`, with the meanings that it has for `perform`. Refusals that say which statement and why:
    ///   `guardNotMet`, `statementFailed`, `resultTooLarge`, `changesTooLarge`, `tookTooLong`; and `needsService`.
    public func execute(
        _ statements: [SQLStatement], within patience: Duration = usualPatience
    ) async throws(SeatError) -> [StatementResult] {
        if let refusal = statements.refusal { throw .refused(refusal) }
        return try await cancellable(patience, { $0.results }) {
            $0.perform(.execute(statements), for: $1, by: $2, at: $3)
        }
    }

    /// The same, with a callback, which is called on the event loop.
    public func execute(
        _ statements: [SQLStatement], within patience: Duration = usualPatience,
        then callback: @escaping @Sendable (Result<[StatementResult], SeatError>) -> Void
    ) {
        if let refusal = statements.refusal { return callback(.failure(.refused(refusal))) }
        onLoop { driver in
            driver.ask(patience, { callback($0.results) }) { $0.perform(.execute(statements), for: $1, by: $2, at: $3) }
        }
    }

    /// Asks again for what became of a transaction whose outcome is unknown. The statements must be the same.
    public func execute(
        _ statements: [SQLStatement], again name: RequestName, within patience: Duration = usualPatience
    ) async throws(SeatError) -> [StatementResult] {
        if let refusal = statements.refusal { throw .refused(refusal) }
        return try await answer { callback in
            self.onLoop { driver in
                driver.ask(patience, { callback($0.results) }) {
                    $0.perform(.execute(statements), again: name, for: $1, by: $2, at: $3)
                }
            }
        }
    }

    /// Creates, alters or drops tables, indexes, triggers and views, on both nodes: all that the SQL says, or nothing.
    /// Writes wait as long as it takes, reads don't.
    ///
    /// Tables need a primary key of columns that are NOT NULL; AUTOINCREMENT, generated columns, virtual and temporary
    /// tables, CREATE TABLE AS and more than 64 columns are refused, and so is what touches Twinline's own tables.
    /// - Returns: the schema's version after it.
    /// - Throws: `SeatError`, with the meanings that it has for `perform`.
    @discardableResult
    public func changeSchema(
        _ sql: String, within patience: Duration = schemaPatience
    ) async throws(SeatError) -> UInt32 {
        if let refusal = SQLStatement(sql).refusal(1) { throw .refused(refusal) }
        return try await answer { callback in
            self.onLoop { driver in
                driver.ask(patience, { callback($0.version) }) {
                    $0.perform(.changeSchema(sql), for: $1, by: $2, at: $3)
                }
            }
        }
    }

    /// Asks again for what became of a schema change whose outcome is unknown. The SQL must be the same.
    @discardableResult
    public func changeSchema(
        _ sql: String, again name: RequestName, within patience: Duration = schemaPatience
    ) async throws(SeatError) -> UInt32 {
        if let refusal = SQLStatement(sql).refusal(1) { throw .refused(refusal) }
        return try await answer { callback in
            self.onLoop { driver in
                driver.ask(patience, { callback($0.version) }) {
                    $0.perform(.changeSchema(sql), again: name, for: $1, by: $2, at: $3)
                }
            }
        }
    }

    /// Runs one statement that changes nothing, of any tables, on the primary or on a standby.
    /// - Returns: the rows, cut off at the query's row limit or at 4 MiB, and where the database stood.
    /// - Throws: `SeatError`: `refused` with `statementFailed`, `tookTooLong`, `resultTooLarge` (one row alone) or
    ///   `needsService`; `unreachable` when no node of that kind answered in time.
    public func query(
        _ query: SQLQuery, level: ReadLevel = .latest, within patience: Duration = usualPatience
    ) async throws(SeatError) -> SQLRows {
        let statement = SQLStatement(query.sql, query.parameters)
        if let refusal = statement.refusal(1) { throw .refused(refusal) }
        let view = try await answer { callback in
            self.query(.sql(query), level: level, within: patience, then: callback)
        }
        guard case .rows(let rows) = view else { throw .unreachable }
        return rows
    }
}

extension [SQLStatement] {
    /// Why a node would not even look at them. A message that is too long would cost the connection.
    fileprivate var refusal: Refusal? {
        guard (1...SQLLimits.statements).contains(count) else { return .malformed(field: "statements") }
        for (index, statement) in enumerated() {
            if let refusal = statement.refusal(index + 1) { return refusal }
        }
        let bytes = reduce(0) { $0 + $1.weight }
        return bytes <= SQLStatement.messageLimit
            ? nil : .textTooLong(field: "statements", bytes: bytes, limit: SQLStatement.messageLimit)
    }
}

extension SQLStatement {
    /// A seat's frame is at most 2 MiB.
    fileprivate static let messageLimit = (2 << 20) - 4096

    fileprivate var weight: Int { 32 + sql.utf8.count + parameters.reduce(0) { $0 + $1.weight } }

    fileprivate func refusal(_ number: Int) -> Refusal? {
        if sql.utf8.count > SQLLimits.sql {
            return .textTooLong(field: "sql", bytes: sql.utf8.count, limit: SQLLimits.sql)
        }
        if sql.isEmpty || sql.utf8.contains(0) { return .malformed(field: "sql") }
        if parameters.count > SQLLimits.parameters { return .malformed(field: "parameters") }
        return weight <= Self.messageLimit
            ? nil : .textTooLong(field: "parameters", bytes: weight, limit: Self.messageLimit)
    }
}

extension SeatSession.Outcome {
    fileprivate var results: Result<[StatementResult], SeatError> {
        if case .executed(let results) = self { .success(results) } else { failure() }
    }
    fileprivate var version: Result<UInt32, SeatError> {
        if case .schemaChanged(let version) = self { .success(version) } else { failure() }
    }
}
