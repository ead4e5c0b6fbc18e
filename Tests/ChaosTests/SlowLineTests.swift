import Daemon
import Foundation
import Seat
import Synchronization
import TestSupport
import Testing
import Tickets

@testable import Commands

/// A seat at the end of a slow line: a long text takes seconds, and nothing is wrong.
extension ProcessTests.SlowLineTests {
    /// What came of one long text.
    private struct Attempt {
        /// How often it went over the line, as a share of its own length.
        var carried = 0.0
        /// Connections that the seat has left.
        var left = 0
        /// A short request was done before the long one.
        var passedBy = false
        /// A seat with a fast line has left some in the same time: this machine holds up everybody.
        var isDisturbed = false

        var isWell: Bool { carried > 1 && carried < 1.5 && left == 0 && passedBy }
    }

    @Test("384 KiB over a line of 3 Mbit/s are carried once, there and back, and nothing counts as silent")
    func longText() async throws {
        let faulty = try FaultyPair(seats: 2)
        try await faulty.start()
        var attempt = Attempt()
        for _ in 0..<10 {
            attempt = try await self.attempt(faulty)
            if attempt.isWell || !attempt.isDisturbed { break }
        }
        try await faulty.audit()
        if !attempt.isWell, attempt.isDisturbed { try Test.cancel("no seat here keeps its connections") }
        #expect(attempt.isWell, "\(attempt)")
    }

    private func attempt(_ faulty: FaultyPair) async throws -> Attempt {
        let slow = Cables(bytesPerSecond: 375_000), fast = Cables()
        defer { withExtendedLifetime((slow, fast)) {} }
        let seat = try client(of: faulty, over: slow), control = try client(of: faulty, over: fast)
        let ticket = TicketID(milliseconds: wallClockNow(), random: (1, .random(in: 0 ... .max)))
        let open = OpenTicket(id: ticket, openedAt: 1_700_000_000_000, category: "Street lights", text: "dark")
        _ = try await seat.perform(.open(open), within: Pace.inVain)
        let before = try await slow.carriedToNodes
        let text = String(repeating: "a long call; ", count: (384 << 10) / 13 + 1)
        let isDone = Atomic(false)
        async let long: Void = {
            _ = try await seat.perform(.note(ticket, text: text), within: Pace.inVain)
            isDone.store(true, ordering: .relaxed)
        }()
        // What is short does not wait behind it.
        _ = try await seat.perform(.note(ticket, text: "meanwhile"), within: Pace.inVain)
        let passedBy = !isDone.load(ordering: .relaxed)
        while !isDone.load(ordering: .relaxed) {
            _ = try await control.perform(.note(ticket, text: "control"), within: Pace.inVain)
        }
        _ = try await long
        var attempt = Attempt(passedBy: passedBy)
        attempt.carried = Double(try await slow.carriedToNodes - before) / Double(text.utf8.count)
        #expect(try await seat.history(of: ticket, within: Pace.inVain).contains { $0.note == text })
        attempt.left = await seat.connections.count { $0.lastLoss != nil }
        attempt.isDisturbed = await control.connections.contains { $0.lastLoss != nil }
        await seat.close()
        await control.close()
        return attempt
    }

    private func client(of faulty: FaultyPair, over lines: Cables) throws -> SeatClient {
        var configuration = faulty.pair.seat(1)
        configuration.routes = try lines.lead(configuration.routes)
        return try SeatClient(configuration: configuration)
    }
}
