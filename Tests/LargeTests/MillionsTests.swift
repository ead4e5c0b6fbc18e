import Foundation
import Replication
import Synchronization
import Testing

@testable import Commands

/// As many tickets as a city took in six years. For `Deploy/test --long`, with a release build: minutes and gigabytes.
///
/// TWINLINE_LARGE: how many tickets.
@Suite(
    .serialized, .enabled(if: ProcessInfo.processInfo.environment["TWINLINE_LARGE"] != nil, "TWINLINE_LARGE=5000000"))
struct MillionsTests {
    static let count = Int(ProcessInfo.processInfo.environment["TWINLINE_LARGE"] ?? "") ?? 5_000_000
    /// The log gives up soon what nobody needs, so that the disk holds four databases and not their history too.
    private static let settings = "segment-size: 64MiB\nlog-keep: 0s\nlog-limit: 1GiB"

    @Test(
        "a database of millions is as fast as an empty one, fails over and is reseeded as such",
        .timeLimit(.minutes(60)))
    func millions() async throws {
        let large = try LargePair(settings: Self.settings)
        try await large.start()
        try await large.fill(0..<Self.count, of: Self.count)
        print("database: \(large.databaseSize(of: .a) >> 20) MiB")
        try await compare(with: large)
        try await faults(large)
        for node in NodeName.allCases {
            let memory = try large.peakMemory(of: node)
            print("node \(node): \(memory) MiB at most")
            #expect(memory <= 300)
        }
        try await fillUp(large)
        try await reseed(large)
        await large.close()
    }

    /// In turn with a pair of 1,000 tickets, so that both see the same moods of the machine.
    private func compare(with large: LargePair) async throws {
        var ratios: (p50: [Double], p99: [Double]) = ([], [])
        for round in 1...5 {
            let small = try LargePair(settings: Self.settings)
            try await small.start()
            try await small.fill(0..<1000, of: 1000)
            let few = try await small.measureOpens(for: .seconds(4))
            await small.close()
            let many = try await large.measureOpens(for: .seconds(4))
            print("round \(round): 1,000 tickets: \(few.words); \(Self.count) tickets: \(many.words)")
            ratios.p50.append(many.milliseconds(50) / few.milliseconds(50))
            ratios.p99.append(many.milliseconds(99) / few.milliseconds(99))
        }
        print("opens with \(Self.count) tickets over 1,000: p50 \(median(ratios.p50)), p99 \(median(ratios.p99))")
        #expect(median(ratios.p50) <= 1.2 && median(ratios.p99) <= 1.2)
    }

    private func faults(_ large: LargePair) async throws {
        let crew = Crew(large.clients, large.file, span: .seconds(1), seed: 1)
        let work = Task { await crew.work() }
        let script = FaultScript(pair: large.pair, ledger: crew.ledger) { print($0) }
        var blackouts: [Double] = []
        for _ in 1...4 {
            let result = try await script.run(.killPrimary)
            blackouts.append(result.blackout)
            #expect(try #require(result.rejoin) <= 2000)
        }
        #expect(median(blackouts) <= 60)
        crew.stop()
        await work.value
        let audit = try await Audit.of(crew.ledger, by: large.clients[0])
        #expect(audit.lost == 0 && audit.duplicated == 0 && crew.ledger.errors.isEmpty, "\(audit.examples)")
    }

    /// Goes on until the database is as large as the one whose reseeding is promised.
    private func fillUp(_ large: LargePair) async throws {
        let wanted = Self.count < 5_000_000 ? 0 : 2_000_000_000
        var filled = Self.count
        while large.databaseSize(of: .a) < wanted {
            try await large.fill(filled..<filled + 250_000, of: 2 * Self.count)
            filled += 250_000
        }
        print("reseeding \(filled) tickets, \(large.databaseSize(of: .a) >> 20) MiB")
    }

    /// Wipes the standby, and lets it fetch a copy under full load; it is killed on the way once.
    private func reseed(_ large: LargePair) async throws {
        let before = try await large.measureOpens(for: .seconds(8))
        let primary = try #require(await large.pair.view.look().primary)
        let process = try #require(large.pair.nodes[primary.other])
        process.stop()
        let config = large.pair.directory.appending(path: "node-\(primary.other).yaml").path
        let order = Process()
        order.executableURL = URL(filePath: "/proc/\(try #require(large.pair.nodes[primary]?.id))/exe")
            .resolvingSymlinksInPath()
        order.arguments = ["reseed", "--config", config]
        try order.run()
        order.waitUntilExit()
        try #require(order.terminationStatus == 0)

        let size = Double(large.databaseSize(of: primary)) / 1e6
        let isOver = Atomic(false)
        let load = LoadGenerator(large.clients, .open)
        async let loaded = load.run { isOver.load(ordering: .relaxed) }
        let start = ContinuousClock.now
        try process.start()
        var interrupted = false
        var receivedBefore: UInt64 = 0
        while true {
            let sight = await large.pair.view.look()
            if sight.isPaired { break }
            if let copy = sight.nodes[primary.other].value?.reseeding, copy.total > 0 {
                if interrupted, receivedBefore > 0 {
                    #expect(copy.received >= receivedBefore, "it began anew")
                    receivedBefore = 0
                }
                if !interrupted, copy.received > copy.total / 2 {
                    print("killed at \(copy.received >> 20) of \(copy.total >> 20) MiB")
                    (interrupted, receivedBefore) = (true, copy.received / 2)
                    process.kill()
                    try process.start()
                }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        let took = ContinuousClock.now - start
        isOver.store(true, ordering: .relaxed)
        let during = try await loaded
        #expect(during.errors == 0, "\(during.firstError ?? "")")
        let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
        print("opens without: \(before.words)")
        print("opens while it was reseeded: \(during.words)")
        print(String(format: "%.0f MB in %.0f s until paired again: %.0f MB/s", size, seconds, size / seconds))
        #expect(interrupted)
        #expect(during.milliseconds(99) <= 2 * before.milliseconds(99))
    }
}
