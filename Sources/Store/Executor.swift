import Replication
import Tickets

/// Runs the requests of a batch in one transaction, while the capture records what they change.
///
/// A command on a ticket that is refused writes nothing but its refusal, so it needs no undoing. One that the database
/// fails to do does: then the whole transaction is rolled back, and the others run again without it. That is rare, and
/// a savepoint for each request would cost a third of its time: SQLite keeps a copy of every page that a savepoint
/// touches first. The platform's SQL, which may fail at any statement, gets one.
final class Executor {
    /// Once the SQL of a batch has taken so long, what of it has not begun is put off: others wait for the writer.
    private static let patience: UInt64 = 1_000_000_000

    private let capture: Capture
    private let transaction: Transaction
    private let tickets: TicketWriter
    private let sessions: SessionWriter
    private let statements: StatementRunner

    init(
        _ connection: Connection, _ transaction: Transaction, tables: [ReplicatedTable], clock: @escaping () -> Instant
    ) throws(StoreError) {
        // First of all: see `Capture`.
        capture = Capture(connection, tables: tables)
        self.transaction = transaction
        tickets = try TicketWriter(connection)
        sessions = try SessionWriter(connection)
        statements = try StatementRunner(connection, capture, clock: clock)
    }

    /// What is known of requests before they run. A change of it means that the transaction is lost, and that they run
    /// again.
    private struct Verdicts {
        /// The database can't do them.
        var failed: [Int: StoreError] = [:]
        /// They are refused whatever happens, since finding that out has cost the transaction.
        var decided: [Int: Refusal]
    }

    /// Leaves the transaction open.
    /// - Parameter decided: requests that are new, and refused.
    func run(
        _ requests: [StoreRequest], now: Int64, digest: Digest, decided: [Int: Refusal] = [:]
    ) throws(StoreError) -> Batch {
        var verdicts = Verdicts(decided: decided)
        statements.taken = 0
        while true {
            try transaction.begin()
            capture.recorder.begin(digest: digest)
            if let outcomes = try attempt(requests, now: now, &verdicts) {
                return Batch(
                    outcomes: outcomes, changeset: capture.recorder.changes.array, digest: capture.recorder.digest)
            }
            try transaction.rollBack()
            sessions.forget()
        }
    }

    /// Nil: the request is new. Outside a batch.
    func seen(_ request: StoreRequest) throws(StoreError) -> Outcome? {
        switch try sessions.remembered(request) {
        case .unknownSession: .unknownSession
        case .windowExpired: .windowExpired
        case .answered(let answer): .answer(answer, remembered: true)
        case .new: nil
        }
    }

    /// Stores the answer to a new request in the open transaction.
    /// - Returns: the changeset of that.
    func conclude(
        _ request: StoreRequest, _ answer: Answer, now: Int64, digest: inout Digest
    ) throws(StoreError) -> [UInt8] {
        capture.recorder.begin(digest: digest)
        _ = try sessions.remembered(request)
        try sessions.remember(answer, to: request, now: now)
        digest = capture.recorder.digest
        return capture.recorder.changes.array
    }

    /// - Returns: nil when one more request failed: the transaction can't be used then.
    private func attempt(
        _ requests: [StoreRequest], now: Int64, _ verdicts: inout Verdicts
    ) throws(StoreError) -> [Outcome]? {
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(requests.count)
        for (index, request) in requests.enumerated() {
            if let error = verdicts.failed[index] {
                outcomes.append(.failed(error))
                continue
            }
            do throws(StoreError) {
                guard let outcome = try outcome(of: request, index, now: now, &verdicts) else { return nil }
                outcomes.append(outcome)
                if let table = capture.recorder.missed { throw .notCaptured(table: table) }
            } catch {
                if error.endsTransaction { throw error }
                verdicts.failed[index] = error
                return nil
            }
        }
        return outcomes
    }

    /// - Returns: nil when the request is now decided, and the transaction is lost.
    private func outcome(
        of request: StoreRequest, _ index: Int, now: Int64, _ verdicts: inout Verdicts
    ) throws(StoreError) -> Outcome? {
        let answer: Answer
        switch request.body {
        case .openSession: return .sessionOpened(try sessions.open(for: request.actor, now: now))
        case .expireSessions(let time): return .sessionsExpired(try sessions.expire(before: time))
        case .command(let command):
            if let seen = try seen(request) { return seen }
            answer = try tickets.run(command, by: request.actor, now: now)
        case .withdraw:
            if let seen = try seen(request) { return seen }
            answer = .refused(.withdrawn)
        case .execute(let list):
            if let seen = try seen(request) { return seen }
            if let refusal = verdicts.decided[index] {
                answer = .refused(refusal)
                break
            }
            guard statements.taken < Self.patience, statements.hasRoom else { return .postponed }
            switch try statements.run(list) {
            case .answered(let found): answer = found
            case .lost(let refusal):
                verdicts.decided[index] = refusal
                return nil
            }
        case .changeSchema:
            if let seen = try seen(request) { return seen }
            // Among others it has to be sent again, by itself.
            guard let refusal = verdicts.decided[index] else { return .postponed }
            answer = .refused(refusal)
        }
        try sessions.remember(answer, to: request, now: now)
        return .answer(answer, remembered: false)
    }
}
