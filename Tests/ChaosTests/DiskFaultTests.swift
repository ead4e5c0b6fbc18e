import Daemon
import Foundation
import Replication
import TestSupport
import Testing

@testable import Commands

/// Disks that are stuck or fail, under real processes: the seats see a pause and no error, and nothing is lost.
extension ProcessTests.DiskFaultTests {
    /// So long each sync, or each step of the database, is held up: five times what counts as stuck.
    private var delay: Duration { .seconds(5).paced }

    private func fault(_ name: String) -> String { "\(name) \(Int(delay / .milliseconds(1)))" }

    /// Seats were answered before what was stuck went on: it was not what they waited for.
    private func expectNoWait(_ faulty: FaultyPair, since start: Instant) {
        let pause = faulty.crew.ledger.blackout(from: start, to: monotonicNow()).milliseconds
        #expect(pause < delay / .milliseconds(1), "seats waited \(pause) ms")
    }

    @Test("a primary whose disk is stuck hands over, and follows again when the disk works")
    func stuckPrimary() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        let start = monotonicNow()
        try faulty.disk(of: primary, fault("sync-delay-ms"))
        try await faulty.wait { $0.primary == primary.other }
        try await faulty.waitForWrites(100)
        expectNoWait(faulty, since: start)
        try faulty.disk(of: primary)
        try await faulty.wait { $0.isPaired }
        try await faulty.audit()
    }

    @Test("a standby whose disk is stuck is dropped, and taken back when the disk works")
    func stuckStandby() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        let start = monotonicNow()
        try faulty.disk(of: primary.other, fault("sync-delay-ms"))
        try await faulty.wait { !$0.isPaired }
        try await faulty.waitForWrites(100)
        let sight = try await faulty.sight()
        #expect(sight.primary == primary && sight.primaryStatus?.mode == "solo")
        expectNoWait(faulty, since: start)
        try faulty.disk(of: primary.other)
        try await faulty.wait { $0.isPaired }
        try await faulty.audit()
    }

    @Test("a primary whose database is stuck hands over, and follows again when it moves")
    func stuckDatabase() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        let start = monotonicNow()
        try faulty.disk(of: primary, fault("database-delay-ms"))
        try await faulty.wait { $0.primary == primary.other }
        try await faulty.waitForWrites(100)
        expectNoWait(faulty, since: start)
        try await faulty.wait { $0.nodes[primary].value?.databaseStuck == true && !$0.isPaired }
        // What it waits in is over at last.
        try faulty.disk(of: primary)
        try await faulty.wait { $0.isPaired }
        try await faulty.audit()
    }

    @Test("a standby whose database is stuck is dropped, and taken back when it moves")
    func stuckStandbysDatabase() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        try faulty.disk(of: primary.other, fault("database-delay-ms"))
        try await faulty.wait {
            $0.nodes[primary.other].value?.databaseStuck == true && !$0.isPaired
        }
        try await faulty.waitForWrites(100)
        #expect(try await faulty.sight().primary == primary)
        try faulty.disk(of: primary.other)
        try await faulty.wait { $0.isPaired }
        try await faulty.audit()
    }

    @Test("a sync that fails ends the process with its own code, and the other node leads")
    func failingSync() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        try faulty.disk(of: primary, "sync-fails 1")
        try await faulty.wait { $0.primary == primary.other }
        try await faulty.waitForWrites(100)
        let process = try #require(faulty.pair.nodes[primary])
        #expect(process.waitForExit() == ExitCode.syncFailed.rawValue)
        try faulty.disk(of: primary)
        try process.start()
        try await faulty.wait { $0.isPaired }
        try await faulty.audit()
    }
}
