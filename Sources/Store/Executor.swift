import Replication
import Tickets

/// Runs the requests of a batch in one transaction, while the capture records what they change.
///
/// A refused request writes nothing but its refusal, so it needs no undoing. One that the database fails to do does:
/// then the whole transaction is rolled back, and the others run again without it. That is rare, and a savepoint for
/// each request would cost a third of its time: SQLite keeps a copy of every page that a savepoint touches first.
final class Executor {
    private let capture: Capture
    private let transaction: Transaction
    private let tickets: TicketWriter
    private let sessions: SessionWriter

    init(_ connection: Connection, _ transaction: Transaction, tables: [ReplicatedTable]) throws(StoreError) {
        // First of all: see `Capture`.
        capture = Capture(connection, tables: tables)
        self.transaction = transaction
        tickets = try TicketWriter(connection)
        sessions = try SessionWriter(connection)
    }

    /// Leaves the transaction open.
    func run(_ requests: [StoreRequest], now: Int64, digest: Digest) throws(StoreError) -> Batch {
        var failed: [Int: StoreError] = [:]
        while true {
            try transaction.begin()
            capture.recorder.begin(digest: digest)
            if let outcomes = try attempt(requests, now: now, failed: &failed) {
                return Batch(
                    outcomes: outcomes, changeset: capture.recorder.changes.array, digest: capture.recorder.digest)
            }
            try transaction.rollBack()
            sessions.forget()
        }
    }

    /// - Returns: nil when one more request failed: the transaction can't be used then.
    private func attempt(
        _ requests: [StoreRequest], now: Int64, failed: inout [Int: StoreError]
    ) throws(StoreError) -> [Outcome]? {
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(requests.count)
        for (index, request) in requests.enumerated() {
            if let error = failed[index] {
                outcomes.append(.failed(error))
                continue
            }
            do throws(StoreError) {
                outcomes.append(try outcome(of: request, now: now))
                if let table = capture.recorder.missed { throw .notCaptured(table: table) }
            } catch {
                if error.endsTransaction { throw error }
                failed[index] = error
                return nil
            }
        }
        return outcomes
    }

    private func outcome(of request: StoreRequest, now: Int64) throws(StoreError) -> Outcome {
        switch request.body {
        case .openSession: return .sessionOpened(try sessions.open(for: request.actor, now: now))
        case .expireSessions(let time): return .sessionsExpired(try sessions.expire(before: time))
        case .command(let command):
            switch try sessions.remembered(request) {
            case .unknownSession: return .unknownSession
            case .windowExpired: return .windowExpired
            case .answered(let answer): return .answer(answer, remembered: true)
            case .new:
                let answer = try tickets.run(command, by: request.actor, now: now)
                try sessions.remember(answer, to: request, now: now)
                return .answer(answer, remembered: false)
            }
        }
    }
}
