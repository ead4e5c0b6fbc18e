import CSQLiteSession
import Replication
import Tickets

/// Runs the requests of a batch, each in a savepoint, while the capture records what they change.
final class Executor {
    private let capture: Capture
    private let connection: Connection
    private let savepoint, release, rollbackTo: Statement
    private let tickets: TicketWriter
    private let sessions: SessionWriter

    init(_ connection: Connection, tables: [ReplicatedTable]) throws(StoreError) {
        // First of all: see `Capture`.
        capture = Capture(connection, tables: tables)
        self.connection = connection
        savepoint = try Statement(connection, "SAVEPOINT request")
        release = try Statement(connection, "RELEASE request")
        rollbackTo = try Statement(connection, "ROLLBACK TO request")
        tickets = try TicketWriter(connection)
        sessions = try SessionWriter(connection)
    }

    func run(_ requests: [StoreRequest], now: Int64, digest: Digest) throws(StoreError) -> Batch {
        capture.recorder.begin(digest: digest)
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(requests.count)
        for request in requests { outcomes.append(try run(request, now: now)) }
        return Batch(outcomes: outcomes, changeset: capture.recorder.changes.array, digest: capture.recorder.digest)
    }

    private func run(_ request: StoreRequest, now: Int64) throws(StoreError) -> Outcome {
        try savepoint.run()
        let mark = capture.recorder.mark
        do throws(StoreError) {
            let outcome = try outcome(of: request, now: now)
            if let table = capture.recorder.missed { throw .notCaptured(table: table) }
            try release.run()
            return outcome
        } catch {
            guard !error.endsTransaction, connection.isInTransaction else { throw error }
            try rollbackTo.run()
            try release.run()
            capture.recorder.truncate(to: mark)
            sessions.forget()
            return .failed(error)
        }
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
