import Foundation
import Seat
import Testing
import Tickets

@testable import twinline

/// A seat at the end of a slow line: a long text takes seconds, and nothing is wrong.
extension ProcessTests.SlowLineTests {
    /// No more than that: in a debug build a megabyte would hold a node up for longer than its peer's patience.
    @Test("384 KiB over a line of 3 Mbit/s are carried once, there and back, and nothing counts as silent")
    func longText() async throws {
        let faulty = try FaultyPair(seats: 2)
        try await faulty.start()
        let lines = try Cables(bytesPerSecond: 375_000)
        var configuration = faulty.pair.seat(1)
        configuration.routes = try lines.lead(configuration.routes)
        let seat = try SeatClient(configuration: configuration)
        let ticket = TicketID(milliseconds: 1_700_000_000_000, random: (1, 2))
        let open = OpenTicket(id: ticket, openedAt: 1_700_000_000_000, category: "Street lights", text: "dark")
        _ = try await seat.perform(.open(open))
        let before = try await lines.carriedToNodes
        let text = String(repeating: "a long call; ", count: (384 << 10) / 13 + 1)
        async let long = seat.perform(.note(ticket, text: text), within: .seconds(30))
        // What is short does not wait behind it.
        for number in 0..<10 {
            _ = try await seat.perform(.note(ticket, text: "meanwhile \(number)"), within: .seconds(2))
        }
        _ = try await long
        let carried = try await lines.carriedToNodes - before
        #expect(carried > text.utf8.count && carried < text.utf8.count * 3 / 2)
        let history = try await seat.history(of: ticket, within: .seconds(30))
        #expect(history.contains { $0.note == text })
        for connection in await seat.connections { #expect(connection.lastLoss == nil) }
        await seat.close()
        try await faulty.audit()
    }
}
