import Foundation
import NIOPosix
import Seat
import Synchronization
import TestSupport
import Testing
import Tickets
import Transport

@testable import twinline

/// A seat at the end of a slow line: a long text takes seconds, and nothing is wrong.
extension ProcessTests.SlowLineTests {
    /// A line, and a seat's patience with it, as slow as the machine is busy: twice as long as the silence that ends a
    /// connection takes the text on its way.
    private func seat(_ configuration: SeatConfiguration) throws -> SeatClient {
        let pace = UInt64(Pace.factor)
        var timings = SeatTimings()
        timings.busyBeat *= pace
        timings.idleBeat *= pace
        timings.lateAfter *= pace
        let files = TLSFiles(
            certificate: configuration.certificate, key: configuration.key, authority: configuration.authority)
        return try SeatClient(
            configuration: configuration, tls: TLSContext(.client, files, protocols: [.seat]),
            on: MultiThreadedEventLoopGroup.singleton.next(), timings: timings)
    }

    @Test("384 KiB over a line of 3 Mbit/s are carried once, there and back, and nothing counts as silent")
    func longText() async throws {
        let faulty = try FaultyPair(seats: 2)
        try await faulty.start()
        let lines = Cables(bytesPerSecond: 375_000 / Pace.factor)
        defer { withExtendedLifetime(lines) {} }
        var configuration = faulty.pair.seat(1)
        configuration.routes = try lines.lead(configuration.routes)
        let seat = try seat(configuration)
        let ticket = TicketID(milliseconds: 1_700_000_000_000, random: (1, 2))
        let open = OpenTicket(id: ticket, openedAt: 1_700_000_000_000, category: "Street lights", text: "dark")
        _ = try await seat.perform(.open(open), within: Pace.inVain)
        let before = try await lines.carriedToNodes
        let text = String(repeating: "a long call; ", count: (384 << 10) / 13 + 1)
        let isDone = Atomic(false)
        async let long: Void = {
            _ = try await seat.perform(.note(ticket, text: text), within: Pace.inVain)
            isDone.store(true, ordering: .relaxed)
        }()
        // What is short does not wait behind it.
        _ = try await seat.perform(.note(ticket, text: "meanwhile"), within: Pace.inVain)
        let wasDone = isDone.load(ordering: .relaxed)
        #expect(!wasDone)
        _ = try await long
        let carried = try await lines.carriedToNodes - before
        #expect(carried > text.utf8.count && carried < text.utf8.count * 3 / 2)
        let history = try await seat.history(of: ticket, within: Pace.inVain)
        #expect(history.contains { $0.note == text })
        for connection in await seat.connections { #expect(connection.lastLoss == nil) }
        await seat.close()
        try await faulty.audit()
    }
}
