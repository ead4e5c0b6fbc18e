import Daemon
import Foundation
import Replication
import Seat
import Tickets

/// Both nodes gone for a while, and seats that go on taking calls into their outboxes.
extension DrillFault {
    static let outages: [DrillFault] = [
        outage("outage", seconds: 5, isUsual: true), outage("outage-minute", seconds: 60),
    ]

    private static func outage(_ name: String, seconds: Int, isUsual: Bool = false) -> DrillFault {
        DrillFault(
            name, "both nodes are killed for \(seconds) s; some seats have outboxes", weight: .two, isUsual: isUsual
        ) { scene in
            let takers = try await OutboxTakers(scene)
            try await takers.begin()
            let processes = try [HostName.a, .b].map { try scene.process($0) }
            scene.mark("SIGKILL both nodes")
            for process in processes { process.kill() }
            try await scene.askInVain()
            for _ in 0..<(seconds * 4) {
                await takers.take()
                try await Task.sleep(for: .milliseconds(250))
            }
            let kept = await takers.undelivered
            scene.mend("start both nodes; \(kept) calls are kept")
            for process in processes { try process.start() }
            try await scene.wait(for: "a node to lead") { $0.primary != nil }
            let back = monotonicNow().nanoseconds
            let delivered = try await takers.delivered(within: .seconds(30))
            scene.mark(String(format: "all delivered %.0f ms after a node led", Double(delivered - back) / 1_000_000))
            try await takers.check(keptAtLeast: seconds)
            await takers.close()
        }
    }
}

/// Seats with outboxes that write notes on a ticket of their own, whoever answers.
private final class OutboxTakers {
    private static let seats = 4
    private let clients: [SeatClient]
    private let tickets: [TicketID]
    private let probe: SeatClient
    private let folder: URL
    private var taken = 0

    init(_ scene: DrillScene) async throws {
        let folder = scene.pair.directory.appending(path: "outboxes-\(monotonicNow().nanoseconds)")
        var clients: [SeatClient] = []
        for seat in 1...Self.seats {
            let path = folder.appending(path: "\(seat)")
            try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
            var configuration = scene.pair.seat(seat)
            configuration.outbox = path.path
            clients.append(try SeatClient(configuration: configuration))
        }
        (self.clients, self.folder, probe) = (clients, folder, scene.probe)
        tickets = clients.map { _ in
            TicketID(milliseconds: wallClockNow(), random: (.random(in: 0 ... .max), .random(in: 0 ... .max)))
        }
    }

    func begin() async throws {
        for (client, ticket) in zip(clients, tickets) {
            let open = OpenTicket(
                id: ticket, openedAt: wallClockNow(), category: "Drill", text: "Of a seat with an outbox")
            _ = try await client.perform(.open(open))
        }
    }

    /// One call at each seat; nobody answers, so it is kept.
    func take() async {
        taken += 1
        let text = "call \(taken)"
        await withTaskGroup(of: Void.self) { group in
            for (client, ticket) in zip(clients, tickets) {
                group.addTask { _ = try? await client.perform(.note(ticket, text: text), within: .milliseconds(20)) }
            }
        }
    }

    var undelivered: Int {
        get async {
            var count = 0
            for client in clients { count += await client.undelivered }
            return count
        }
    }

    /// - Returns: when, in nanoseconds of the clock that never jumps.
    func delivered(within limit: Duration) async throws -> UInt64 {
        let end = ContinuousClock.now + limit
        while await undelivered > 0 {
            guard ContinuousClock.now < end else {
                throw Failure("\(await undelivered) calls are still kept \(limit) after a node led")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
        return monotonicNow().nanoseconds
    }

    /// Each call stands in its ticket's history once, in the order in which it was taken.
    func check(keptAtLeast least: Int) async throws {
        guard taken >= least else { throw Failure("only \(taken) calls were taken") }
        let expected = (1...taken).map { "call \($0)" }
        for (seat, ticket) in tickets.enumerated() {
            let notes = try await probe.history(of: ticket).filter { $0.action == .note }
                .sorted { $0.revision < $1.revision }.map(\.note)
            guard notes == expected else {
                throw Failure(
                    "seat \(seat + 1) took \(taken) calls; its ticket shows \(notes.count), "
                        + "\(Set(notes).count) different ones")
            }
        }
    }

    func close() async {
        for client in clients { await client.close() }
        try? FileManager.default.removeItem(at: folder)
    }
}
