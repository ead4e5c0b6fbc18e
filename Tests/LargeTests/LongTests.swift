import Foundation
import Replication
import Seat
import Synchronization
import Testing
import Tickets

@testable import Commands

/// What takes long must not hold up what is short: while a megabyte of text, ten thousand changes, an entry of many
/// megabytes and an index of millions of rows pass through both nodes, heartbeats and read confirmations go on.
///
/// The nodes say themselves, in their status, how late they were.
@Suite(
    .serialized, .enabled(if: ProcessInfo.processInfo.environment["TWINLINE_LARGE"] != nil, "TWINLINE_LARGE=5000000"))
struct LongTests {
    private typealias Delays = (beat: Double, confirmation: Double)

    /// Milliseconds: so much later than with nothing beside.
    private static let promised = 5.0
    private static let settings = "segment-size: 64MiB\nlog-keep: 0s\nlog-limit: 1GiB"

    @Test("long entries and a long index build delay neither heartbeats nor confirmations", .timeLimit(.minutes(40)))
    func long() async throws {
        let large = try LargePair(settings: Self.settings, seats: 2)
        try await large.start()
        let service = try SeatClient(configuration: large.pair.service)
        let rows = Int(ProcessInfo.processInfo.environment["TWINLINE_LONG_ROWS"] ?? "") ?? 18_000_000
        try await service.changeSchema("CREATE TABLE calls (id INTEGER NOT NULL PRIMARY KEY, number TEXT, note BLOB)")
        let usual = try await measure(large, "nothing beside") { try await Task.sleep(for: .seconds(20)) }
        try await compare(large, "a text of 1 MiB", with: usual) {
            for _ in 0..<20 { _ = try await large.clients[0].perform(.open(Self.ticket(Command.textLimit))) }
        }
        try await compare(large, "10,000 changes in one transaction", with: usual) {
            for _ in 0..<5 { try await service.execute([Self.fill(10_000, "zeroblob(20)")]) }
        }
        try await compare(large, "an entry of 55 MiB", with: usual) {
            for _ in 0..<3 { try await service.execute([Self.fill(55, "randomblob(1000000)")], within: .seconds(60)) }
        }
        for _ in 0..<max(1, rows / 200_000) {
            try await service.execute([Self.fill(200_000, "NULL")], within: .seconds(60))
        }
        try await compare(large, "an index of \(rows) rows", with: usual) {
            try await service.changeSchema("DROP INDEX IF EXISTS calls_by_number")
            let start = ContinuousClock.now
            try await service.changeSchema("CREATE INDEX calls_by_number ON calls (number, id)")
            print("the index took \(ContinuousClock.now - start) on the primary")
            // The standby's begins when the primary's is done.
            try await waitUntilEqual(large)
            print("and \(ContinuousClock.now - start) until both nodes had it")
        }
        await service.close()
        await large.close()
    }

    private func waitUntilEqual(_ large: LargePair) async throws {
        while true {
            let sight = await large.pair.view.look()
            let (a, b) = (sight.nodes[.a].value, sight.nodes[.b].value)
            if let a, let b, a.applied == b.applied, a.digest == b.digest, !a.digest.isEmpty { return }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func fill(_ rows: Int, _ note: String) -> SQLStatement {
        SQLStatement(
            """
            WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < \(rows))
            INSERT INTO calls SELECT (SELECT coalesce(max(id), 0) FROM calls) + i, hex(randomblob(8)), \(note) FROM n
            """)
    }

    private static func ticket(_ size: Int) -> OpenTicket {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        return OpenTicket(
            id: TicketID(milliseconds: now, random: (.random(in: 0 ... .max), .random(in: 0 ... .max))), openedAt: now,
            category: "Import", text: String(repeating: "x", count: size))
    }

    /// What else the machine does only adds to what is measured: of three attempts the best one counts.
    private func compare(
        _ large: LargePair, _ what: String, with usual: Delays, _ work: () async throws -> Void
    ) async throws {
        var best: Delays = (.infinity, .infinity)
        for _ in 1...3 {
            let found = try await measure(large, what, work)
            best = (min(best.beat, found.beat), min(best.confirmation, found.confirmation))
            if isKept(best, usual) { return }
        }
        #expect(isKept(best, usual), "\(what): \(best), and \(usual) with nothing beside")
    }

    private func isKept(_ found: Delays, _ usual: Delays) -> Bool {
        found.beat <= usual.beat + Self.promised && found.confirmation <= usual.confirmation + Self.promised
    }

    /// Does it while seats show tickets, and says how late the nodes were meanwhile.
    private func measure(
        _ large: LargePair, _ what: String, _ work: () async throws -> Void
    ) async throws -> Delays {
        // What was before is then out of what they remember; and their databases are level.
        try await waitUntilEqual(large)
        try await Task.sleep(for: .seconds(61))
        let epoch = await large.pair.view.look().primaryStatus?.standing.epoch
        let isOver = Atomic(false)
        let load = LoadGenerator(Array(large.clients.dropFirst()), .show)
        try await load.openTickets(perSeat: 20)
        async let loaded = load.run { isOver.load(ordering: .relaxed) }
        do {
            try await work()
        } catch {
            isOver.store(true, ordering: .relaxed)
            _ = try await loaded
            throw error
        }
        let sight = await large.pair.view.look()
        isOver.store(true, ordering: .relaxed)
        let result = try await loaded
        var worst: Delays = (0, 0)
        for name in NodeName.allCases {
            let status = try #require(sight.nodes[name].value)
            worst.beat = max(worst.beat, Double(status.slowestHeartbeatUs) / 1000)
            worst.confirmation = max(worst.confirmation, Double(status.slowestConfirmationUs) / 1000)
        }
        print("\(what): heartbeats \(worst.beat) ms late, confirmations \(worst.confirmation) ms; \(result.words)")
        #expect(result.errors == 0, "\(result.firstError ?? "")")
        #expect(sight.isPaired && sight.primaryStatus?.standing.epoch == epoch, "\(what): \(sight.verdict)")
        return worst
    }
}
