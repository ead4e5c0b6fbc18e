import NIOCore
import Replication
import Seat
import TestSupport
import Testing
import Tickets
import Wire

@testable import Daemon

@Suite(.serialized) struct PairTests {
    @Test("a new pair is formatted, pairs itself, and a stopped primary hands over first")
    func formsAndHandsOver() async throws {
        try await RunningPair.with { running in
            try await running.format()
            running.stoppers["a"]?.request()
            try await running.wait(for: .b) { $0.standing.role == .primary }
            let epoch = try await running.status(.b).standing.epoch
            #expect(epoch == 4)
        }
    }

    @Test("a pair is formatted once, and refuses to be again")
    func formatsOnce() async throws {
        try await RunningPair.with { running in
            try await running.format()
            await #expect(throws: FormatError.self) { _ = try await running.formatter().format { _ in } }
        }
    }

    @Test("a new witness in place of a lost one is adopted, and then a failover works again")
    func adopts() async throws {
        try await RunningPair.with { running in
            try await running.format()
            running.stoppers["witness"]?.request()
            try await running.wait(for: .a) { !$0.witnessConnected && !$0.failoverPossible }
            let stopper = Stopper()
            let witness = try RunningPair.makeWitness(running.pair, data: "witness2")
            let ended = Task { await witness.run(stopper) }
            defer { stopper.request() }
            try await running.wait(for: .a) { !$0.foreignWitnessID.isEmpty }
            let before = try await running.status(.a)
            #expect(!before.failoverPossible)
            #expect(before.failoverReason.contains("twinline witness adopt"))

            var operation = Twinline_Seat_V1_Operation()
            operation.kind = .adoptWitness
            operation.adoptWitness.witnessID = before.foreignWitnessID
            let refused = try await running.operate(operation, at: .b)
            #expect(!refused.accepted && !refused.again)
            let begun = try await running.operate(operation, at: .a)
            #expect(begun.accepted, "\(begun.text)")
            try await running.wait(for: .a) { $0.failoverPossible }
            let after = try await running.status(.a)
            #expect(after.witnessID == before.foreignWitnessID && after.registerVersion > before.registerVersion)

            running.stoppers["a"]?.request()
            try await running.wait(for: .b) { $0.standing.role == .primary }
            stopper.request()
            let code = await ended.value
            #expect(code == .orderly)
        }
    }

    @Test("a seat's requests are done once each, across a switchover under way")
    func seatWorks() async throws {
        try await RunningPair.with { running in
            try await running.format()
            let seat = try SeatClient(configuration: running.pair.seat)
            let ticket = TicketID(milliseconds: 1_700_000_000_000, random: (1, 2))
            let opened = try await seat.perform(
                .open(OpenTicket(id: ticket, openedAt: 1_700_000_000_000, category: "Street lights", text: "Dark")),
                within: Pace.inVain)
            #expect(opened.state == .open && opened.revision == 1)

            let notes = 200
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<notes {
                    group.addTask {
                        _ = try await seat.perform(.note(ticket, text: "note \(number)"), within: Pace.inVain)
                    }
                    if number == notes / 2 { try await running.switchOver(from: .a) }
                }
                try await group.waitForAll()
            }
            let history = try await seat.history(of: ticket, within: Pace.inVain)
            #expect(history.count == notes + 1)
            #expect(Set(history.map(\.note)).count == notes + 1)
            #expect(try await seat.show(ticket, within: Pace.inVain)?.revision == Int64(notes + 1))
            await #expect(throws: SeatError.self) {
                try await seat.perform(.accept(ticket, note: ""), within: Pace.inVain)
            }
            await seat.close()
        }
    }
}
