import Engine
import Foundation
import Replication
import Store
import Synchronization
import TestSupport
import Testing
import Tickets
import Wire

@testable import Daemon

@Suite("sessions of which nothing was heard for a day")
struct SessionExpiryTests {
    /// Commits each batch as the next entry, as an engine would.
    private final class Shell: Sendable {
        struct State {
            var writer: WriterThread?
            var outcomes: [WriteAnswer.Outcome] = []
            var entries: UInt64 = 0
            var applied: UInt64 = 0
        }
        let state = Mutex(State())

        func take(_ event: WorkerEvent) {
            switch event {
            case .batchExecuted(let batch):
                let (writer, position) = state.withLock { state in
                    state.outcomes += batch.answers.map(\.outcome)
                    guard batch.changes != nil else { return (WriterThread?.none, Position.zero) }
                    state.entries += 1
                    return (state.writer, Position(Epoch(1), LSN(state.entries)))
                }
                writer?.commit(position)
            case .applied(let lsn): state.withLock { $0.applied = lsn.value }
            default: break
            }
        }
    }

    private final class Seat: SeatConnection {
        let loop = 0
        func write(_ answer: WriteAnswer) {}
        func write(_ answer: ReadAnswer) {}
        func flush() {}
    }

    private func isDone(_ outcome: WriteAnswer.Outcome) -> Bool {
        if case .done = outcome { true } else { false }
    }

    private static let hour: Int64 = 3_600_000

    @Test("are forgotten with the next request that comes, and those that spoke are not")
    func forgotten() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "twinline-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: path) }
        try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
        let database = path.appending(path: "db").path
        _ = try ReplicatedDatabase.create(at: database)
        let (shell, seat, clock) = (Shell(), Seat(), Clock(time: 1_000_000))
        let writer = WriterThread(wallClock: { clock.time.withLock { $0 } }, report: { shell.take($0) })
        shell.state.withLock { $0.writer = writer }
        startThread("writer") {
            if let opened = try? ReplicatedDatabase.open(at: database) { writer.run(opened) }
        }
        defer { writer.stop() }
        writer.takeRequests(reign: 1)

        func ask(_ session: Int64, _ sequence: UInt64, _ body: SeatRequest.Body) async throws -> WriteAnswer.Outcome {
            let count = shell.state.withLock(\.outcomes.count)
            let request = SeatRequest(session: session, sequence: sequence, answeredBelow: 0, body: body)
            let pending = PendingWrite(request: request, actor: "seat/1", bytes: 10, connection: seat)
            try await eventually { writer.submit(pending) == nil }
            try await eventually { shell.state.withLock { $0.outcomes.count > count && $0.applied >= $0.entries } }
            return shell.state.withLock { $0.outcomes[count] }
        }
        let open = { (number: Int64) -> SeatRequest.Body in
            let id = TicketID(milliseconds: number, random: (1, 1))
            return .command(.open(OpenTicket(id: id, openedAt: 5, category: "c", text: "t")))
        }
        #expect(try await ask(0, 1, .openSession) == .sessionOpened(1))
        #expect(try await ask(0, 2, .openSession) == .sessionOpened(2))
        clock.advance(by: 20 * Self.hour)
        #expect(isDone(try await ask(1, 1, open(1))))
        clock.advance(by: 6 * Self.hour)
        // By now the second has been silent for 26 hours; this takes it away.
        #expect(isDone(try await ask(1, 2, open(2))))
        #expect(try await ask(2, 1, open(3)) == .refused(.unknownSession))
        #expect(isDone(try await ask(1, 3, open(4))))
        clock.advance(by: 26 * Self.hour)
        // One that speaks at the very moment is not lost by it.
        #expect(isDone(try await ask(1, 4, open(5))))
        #expect(isDone(try await ask(1, 5, open(6))))
    }

    private final class Clock: Sendable {
        let time: Mutex<Int64>
        init(time: Int64) { self.time = Mutex(time) }
        func advance(by milliseconds: Int64) { time.withLock { $0 += milliseconds } }
    }
}
