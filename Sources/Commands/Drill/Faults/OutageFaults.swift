import Daemon
import Foundation
import Histories
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
    private struct Taker {
        let client: SeatClient
        let ticket = TicketID(
            milliseconds: wallClockNow(), random: (.random(in: 0 ... .max), .random(in: 0 ... .max)))
        let history: RunHistory
        /// In the history.
        let number: Int

        func perform(_ command: Command, within time: Duration) async -> SeatError? {
            await history.record(.command(ticket, TicketStep(command)), by: number) { () async throws(SeatError) in
                Histories.Answer(try await client.perform(command, within: time))
            }.error
        }
    }

    private let takers: [Taker]
    private let probe: SeatClient
    private let folder: URL
    private var taken = 0

    init(_ scene: DrillScene) async throws {
        let folder = scene.pair.directory.appending(path: "outboxes-\(monotonicNow().nanoseconds)")
        takers = try (0..<DrillClients.takers).map { taker in
            let path = folder.appending(path: "\(taker + 1)")
            try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
            var configuration = scene.pair.seat(taker % scene.clients.seats + 1)
            configuration.outbox = path.path
            return Taker(
                client: try SeatClient(configuration: configuration), history: scene.history,
                number: scene.clients.firstTaker + taker)
        }
        (self.folder, probe) = (folder, scene.probe)
    }

    func begin() async throws {
        for taker in takers {
            let open = OpenTicket(
                id: taker.ticket, openedAt: wallClockNow(), category: "Drill", text: "Of a seat with an outbox")
            if let error = await taker.perform(.open(open), within: .seconds(20)) { throw error }
        }
    }

    /// One call at each seat; nobody answers, so it is kept.
    func take() async {
        taken += 1
        let text = "call \(taken)"
        await withTaskGroup(of: Void.self) { group in
            for taker in takers {
                group.addTask { _ = await taker.perform(.note(taker.ticket, text: text), within: .milliseconds(20)) }
            }
        }
    }

    var undelivered: Int {
        get async {
            var count = 0
            for taker in takers { count += await taker.client.undelivered }
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
        for (seat, taker) in takers.enumerated() {
            let rows = try await taker.history.rows(of: taker.ticket, by: taker.number, probe)
            let notes = rows.filter { $0.action == .note }.sorted { $0.revision < $1.revision }.map(\.note)
            guard notes == expected else {
                throw Failure(
                    "seat \(seat + 1) took \(taken) calls; its ticket shows \(notes.count), "
                        + "\(Set(notes).count) different ones")
            }
        }
    }

    func close() async {
        for taker in takers { await taker.client.close() }
        try? FileManager.default.removeItem(at: folder)
    }
}
