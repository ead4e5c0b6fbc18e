import Foundation
import Testing

@testable import Simulator

/// Whole runs. `Deploy/test` makes hundreds of them with the release build.
struct SimulationTests {
    @Test("nothing answered is lost or done twice, nobody answers beside another, and all heals", arguments: 1...4)
    func holds(seed: UInt64) {
        let verdict = simulate(seed: seed)
        #expect(verdict.violation == nil, "twinline-sim --seed \(seed)")
        #expect(verdict.answers > 20)
        #expect(!verdict.faultsApplied.isEmpty)
    }

    @Test("the same seed gives the same run")
    func repeats() {
        var first: [String] = [], second: [String] = []
        _ = simulate(seed: 5, tracer: { first.append($0) })
        _ = simulate(seed: 5, tracer: { second.append($0) })
        #expect(first == second)
        #expect(first.count > 1000)
    }

    @Test("the reviewed table's changes of role are found in its text")
    func changes() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let path = root.appending(path: "Tests/ReplicationTests/Transitions.txt").standardizedFileURL
        let changes = TransitionTable.changes(in: try String(contentsOf: path, encoding: .utf8))
        #expect(changes.contains("following + hand over -> claiming"))
        #expect(changes.contains("idle + peer refused -> claiming"))
        #expect(changes.contains("claiming, asked + won -> rising"))
        #expect(changes.contains("lacking + won -> solo"))
        #expect(changes.contains("claiming, asked + lost -> claiming"))
        #expect(changes.contains("claiming, asked + another witness connected -> idle"))
        #expect(changes.contains("forced + hello -> fenced"))
        // Two facts, of which the second changes nothing.
        #expect(!changes.contains { $0.hasSuffix("peer refused -> lacking") || $0.contains("every route") })
        #expect(!changes.contains { $0.contains("any frame") || $0.contains("older") })
        let causes = Set(changes.compactMap { $0.split(separator: " + ").last?.split(separator: " -> ").first })
        #expect(causes.count < 40 && !causes.contains { $0.contains(",") })
    }
}
