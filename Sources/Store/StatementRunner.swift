import CSQLiteSession
import Replication
import Tickets

/// Runs the platform's SQL inside the open transaction, each request in a savepoint, so that one which fails is undone
/// without the others of its batch.
///
/// Some failures take SQLite's whole transaction with them: a statement that was interrupted while it wrote, and what
/// says ON CONFLICT ROLLBACK. Then the others have to run again.
final class StatementRunner {
    enum Verdict {
        case answered(Answer)
        /// Refused, and no transaction is open any more.
        case lost(Refusal)
    }

    private struct Refused: Error { var why: Refusal }

    private let connection: Connection
    private let capture: Capture
    private let clock: () -> Instant
    private let begin, release, rollBack: Statement
    private var prepared: StatementCache
    /// Nanoseconds that SQL has taken since this was zero.
    var taken: UInt64 = 0

    init(_ connection: Connection, _ capture: Capture, clock: @escaping () -> Instant) throws(StoreError) {
        (self.connection, self.capture, self.clock) = (connection, capture, clock)
        begin = try Statement(connection, "SAVEPOINT request")
        release = try Statement(connection, "RELEASE request")
        rollBack = try Statement(connection, "ROLLBACK TO request")
        prepared = StatementCache(connection)
    }

    /// What may be in an entry before the SQL of another request, which may fill it.
    private static let shared = 1 << 20

    /// Whether the entry still takes what one more request may change and answer.
    var hasRoom: Bool { capture.recorder.changes.count < Self.shared }

    func run(_ statements: [SQLStatement]) throws(StoreError) -> Verdict {
        let start = clock()
        defer { taken += clock().nanoseconds &- start.nanoseconds }
        let mark = capture.recorder.mark
        let limit = capture.recorder.changes.count + SQLLimits.changes
        try begin.run()
        let watch = Watch(
            clock: clock, deadline: start.advanced(byMilliseconds: UInt64(SQLLimits.time)),
            isTooMuch: { [capture] in capture.recorder.changes.count > limit })
        let answer = try watch.over(connection) { () throws(StoreError) in
            try connection.authorizer.under(.changes) { () throws(StoreError) in try run(statements, watch) }
        }
        if case .refused(let refusal) = answer {
            guard connection.isInTransaction else { return .lost(refusal) }
            try rollBack.run()
            capture.recorder.truncate(to: mark)
        }
        try release.run()
        return .answered(answer)
    }

    /// - Throws: `StoreError` when the transaction is at stake.
    private func run(_ statements: [SQLStatement], _ watch: Watch) throws(StoreError) -> Answer {
        var results: [StatementResult] = []
        var room = SQLLimits.answer
        for (index, statement) in statements.enumerated() {
            let number = index + 1
            do throws(StoreError) {
                switch try run(statement, number, &room) {
                case .success(let result): results.append(result)
                case .failure(let refused): return .refused(refused.why)
                }
            } catch {
                switch watch.verdict {
                case .tooLong: return .refused(.tookTooLong(statement: number, milliseconds: SQLLimits.time))
                case .tooMuch: return .refused(.changesTooLarge(statement: number, limit: SQLLimits.changes))
                case nil: break
                }
                if error.endsTransaction { throw error }
                return .refused(.statementFailed(statement: number, reason: error.reason))
            }
            if let table = capture.recorder.missed { throw .notCaptured(table: table) }
            if watch.isTooMuch() { return .refused(.changesTooLarge(statement: number, limit: SQLLimits.changes)) }
        }
        guard !connection.hasOpenReferences else {
            let reason = "FOREIGN KEY constraint failed: a row refers to one that is not there"
            return .refused(.statementFailed(statement: statements.count, reason: reason))
        }
        return .executed(results)
    }

    private func run(
        _ wish: SQLStatement, _ number: Int, _ room: inout Int
    ) throws(StoreError) -> Result<StatementResult, Refused> {
        let statement = try prepared.statement(wish.sql)
        defer { statement.reset() }
        try statement.bind(wish.parameters)
        var result = StatementResult(changes: 0, columns: statement.columns)
        room -= 16 + result.columns.reduce(0) { $0 + $1.utf8.count + 8 }
        while try statement.step() {
            let row = statement.row(of: result.columns.count)
            room -= row.reduce(8) { $0 + $1.weight }
            guard room >= 0 else {
                return .failure(Refused(why: .resultTooLarge(statement: number, limit: SQLLimits.answer)))
            }
            result.rows.append(row)
        }
        if !statement.isReadOnly { result.changes = Int64(connection.changes) }
        let found = result.columns.isEmpty ? result.changes : Int64(result.rows.count)
        if let expected = wish.expect, expected != found {
            return .failure(Refused(why: .guardNotMet(statement: number, expected: expected, found: found)))
        }
        return .success(result)
    }
}

extension Connection {
    /// Rows refer to what is not there, and a COMMIT would fail for it.
    fileprivate var hasOpenReferences: Bool {
        var (count, highest): (Int32, Int32) = (0, 0)
        sqlite3_db_status(raw, SQLITE_DBSTATUS_DEFERRED_FKS, &count, &highest, 0)
        return count != 0
    }
}
