import Daemon
import Foundation
import Replication
import Testing

@testable import twinline

/// Disks that are stuck or fail, under real processes: the seats see a pause and no error, and nothing is lost.
extension ProcessTests.DiskFaultTests {
    /// Milliseconds without an answer; twice what is promised, since the tests' build is slow and its machine crowded.
    private var patience: Double { 3000.0 }

    @Test("a primary whose disk is stuck hands over, and follows again when the disk works", .timeLimit(.minutes(3)))
    func stuckPrimary() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        let start = monotonicNow()
        try faulty.disk(of: primary, "sync-delay-ms 5000")
        try await faulty.wait { $0.primary == primary.other }
        try await faulty.waitForWrites(100)
        #expect(faulty.crew.ledger.blackout(from: start, to: monotonicNow()).milliseconds < patience)
        try faulty.disk(of: primary)
        try await faulty.wait { $0.isPaired }
        try await faulty.audit()
    }

    @Test("a standby whose disk is stuck is dropped, and taken back when the disk works", .timeLimit(.minutes(3)))
    func stuckStandby() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        let start = monotonicNow()
        try faulty.disk(of: primary.other, "sync-delay-ms 5000")
        try await faulty.wait { !$0.isPaired }
        try await faulty.waitForWrites(100)
        let sight = await faulty.pair.view.look()
        #expect(sight.primary == primary && sight.primaryStatus?.mode == "solo")
        #expect(faulty.crew.ledger.blackout(from: start, to: monotonicNow()).milliseconds < patience)
        try faulty.disk(of: primary.other)
        try await faulty.wait { $0.isPaired }
        try await faulty.audit()
    }

    @Test("a primary whose database is stuck hands over, and follows again when it moves", .timeLimit(.minutes(3)))
    func stuckDatabase() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        let start = monotonicNow()
        try faulty.disk(of: primary, "database-delay-ms 6000")
        try await faulty.wait { $0.primary == primary.other }
        try await faulty.waitForWrites(100)
        #expect(faulty.crew.ledger.blackout(from: start, to: monotonicNow()).milliseconds < patience)
        try await faulty.wait { $0.nodes[primary].value?.databaseStuck == true && !$0.isPaired }
        // What it waits in is over at last.
        try faulty.disk(of: primary)
        try await faulty.wait { $0.isPaired }
        try await faulty.audit()
    }

    @Test("a standby whose database is stuck is dropped, and taken back when it moves", .timeLimit(.minutes(3)))
    func stuckStandbysDatabase() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        try faulty.disk(of: primary.other, "database-delay-ms 6000")
        try await faulty.wait(within: .seconds(60)) {
            $0.nodes[primary.other].value?.databaseStuck == true && !$0.isPaired
        }
        try await faulty.waitForWrites(100)
        #expect(await faulty.pair.view.look().primary == primary)
        try faulty.disk(of: primary.other)
        try await faulty.wait { $0.isPaired }
        try await faulty.audit()
    }

    @Test("a sync that fails ends the process with its own code, and the other node leads", .timeLimit(.minutes(3)))
    func failingSync() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        let start = monotonicNow()
        try faulty.disk(of: primary, "sync-fails 1")
        try await faulty.wait { $0.primary == primary.other }
        try await faulty.waitForWrites(100)
        #expect(faulty.crew.ledger.blackout(from: start, to: monotonicNow()).milliseconds < patience)
        let process = try #require(faulty.pair.nodes[primary])
        #expect(process.waitForExit() == ExitCode.syncFailed.rawValue)
        try faulty.disk(of: primary)
        try process.start()
        try await faulty.wait { $0.isPaired }
        try await faulty.audit()
    }
}
