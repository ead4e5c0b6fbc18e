import Daemon
import Foundation
import Replication
import Testing

@testable import Commands

/// Full disks, under real processes: nothing is lost, nothing ends, and room mends it.
extension ProcessTests.FullDiskTests {
    @Test("a primary whose disk is full hands over to a standby that has room")
    func fullPrimary() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        try faulty.disk(of: primary, "full 1")
        try await faulty.wait { $0.primary == primary.other }
        try await faulty.waitForWrites(100)
        let sight = try await faulty.sight()
        #expect(sight.nodes[primary].value?.diskFull == true)
        #expect(sight.primaryStatus?.failoverReason.contains("disk is full") == true)
        try faulty.disk(of: primary)
        try await faulty.wait { $0.isPaired }
        #expect(faulty.pair.nodes.values.allSatisfy { $0.isRunning })
        try await faulty.audit()
    }

    @Test("a standby whose disk is full is dropped with the reason, and taken back with room")
    func fullStandby() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        try faulty.disk(of: primary.other, "full 1")
        try await faulty.wait { $0.primaryStatus?.mode == "solo" }
        try await faulty.waitForWrites(100)
        #expect(try await faulty.sight().primaryStatus?.failoverReason.contains("disk is full") == true)
        try faulty.disk(of: primary.other)
        try await faulty.wait { $0.isPaired }
        #expect(faulty.pair.nodes.values.allSatisfy { $0.isRunning })
        try await faulty.audit()
    }

    @Test("a primary whose disk says that it has room, and has none, hands over too")
    func noSpace() async throws {
        // Small segments, so that the log soon wants another one.
        let faulty = try FaultyPair(settings: "segment-size: 1MiB")
        try await faulty.start()
        let primary = try await faulty.primary()
        try faulty.disk(of: primary, "no-space 1")
        try await faulty.wait { $0.primary == primary.other }
        try await faulty.waitForWrites(100)
        #expect(try await faulty.sight().nodes[primary].value?.diskFull == true)
        try faulty.disk(of: primary)
        try await faulty.wait { $0.isPaired }
        #expect(faulty.pair.nodes.values.allSatisfy { $0.isRunning })
        try await faulty.audit()
    }

    @Test("full on both without a warning, writes are put off, reads go on, and room mends it")
    func noSpaceOnBoth() async throws {
        let faulty = try FaultyPair(settings: "segment-size: 1MiB")
        try await faulty.start()
        let ticket = try #require(faulty.crew.ledger.acknowledged.first?.ticket)
        for node in NodeName.allCases { try faulty.disk(of: node, "no-space 1") }
        try await faulty.wait { sight in NodeName.allCases.allSatisfy { sight.nodes[$0].value?.diskFull == true } }
        try await faulty.waitForRefusal(of: ticket)
        for node in NodeName.allCases { try faulty.disk(of: node) }
        try await faulty.waitForWrites(100)
        try await faulty.wait { $0.isPaired }
        #expect(faulty.pair.nodes.values.allSatisfy { $0.isRunning })
        try await faulty.audit()
    }

    @Test("full on both, nothing is written and reads go on, until there is room again")
    func fullBoth() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let ticket = try #require(faulty.crew.ledger.acknowledged.first?.ticket)
        for node in NodeName.allCases { try faulty.disk(of: node, "full 1") }
        try await faulty.wait { sight in NodeName.allCases.allSatisfy { sight.nodes[$0].value?.diskFull == true } }
        try await faulty.waitForRefusal(of: ticket)
        for node in NodeName.allCases { try faulty.disk(of: node) }
        try await faulty.waitForWrites(100)
        try await faulty.wait { $0.isPaired }
        #expect(faulty.pair.nodes.values.allSatisfy { $0.isRunning })
        try await faulty.audit()
    }
}
