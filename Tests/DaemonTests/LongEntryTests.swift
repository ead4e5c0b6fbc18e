import Replication
import Seat
import TestSupport
import Testing
import Tickets
import Wire

@testable import Daemon

/// Entries that travel in parts, and short ones before and behind them.
@Suite(.serialized) struct LongEntryTests {
    @Test("long entries reach the standby in their order, whole")
    func reachesStandby() async throws {
        try await RunningPair.with { running in
            try await running.format()
            let seat = try SeatClient(configuration: running.pair.seat)
            let ticket = TicketID(milliseconds: 1_700_000_000_000, random: (1, 2))
            _ = try await seat.perform(
                .open(OpenTicket(id: ticket, openedAt: 1_700_000_000_000, category: "Street lights", text: "Dark")),
                within: Pace.inVain)
            let texts = (0..<24).map { number in
                String(repeating: "\(number % 10)", count: number % 3 == 0 ? 300_000 : 10 * number)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for text in texts.dropFirst() {
                    group.addTask { _ = try await seat.perform(.note(ticket, text: text), within: Pace.inVain) }
                }
                try await group.waitForAll()
            }
            // Whoever leads by now: a slow machine may have moved the lead.
            try await running.waitUntilEqual()
            let notes = try await seat.history(of: ticket, within: Pace.inVain).map(\.note).dropFirst()
            #expect(notes.sorted() == texts.dropFirst().sorted())
            await seat.close()
        }
    }
}
