import Foundation
import Replication
import Testing
import Tickets

@testable import Commands

/// Real file systems that another process fills up at once, between two looks at how much room there is.
extension ProcessTests.FilledDiskTests {
    private func startedPair() async throws -> (FaultyPair, primary: NodeName) {
        let faulty = try FaultyPair(settings: "segment-size: 1MiB")
        try faulty.mountSmallDisks(megabytes: 200)
        try await faulty.start()
        return (faulty, try await faulty.primary())
    }

    private func settle(_ faulty: FaultyPair) async throws {
        try await faulty.waitForWrites(100)
        try await faulty.wait { $0.isPaired }
        #expect(faulty.pair.nodes.values.allSatisfy { $0.isRunning })
        try await faulty.audit()
        let verdict = try await faulty.twinline("verify")
        #expect(verdict.code == 0, "\(verdict.said)")
    }

    @Test(
        "a primary whose disk is filled at once hands over to a standby with room", .enabled(if: SmallDisk.isPossible))
    func primary() async throws {
        let (faulty, primary) = try await startedPair()
        try #require(faulty.disks[primary]).fill()
        try await faulty.wait { $0.primary == primary.other }
        // So many that the standby has been asked for all that waited.
        try await faulty.waitForWrites(2000)
        #expect(try await faulty.sight().nodes[primary].value?.diskFull == true)
        faulty.disks[primary]?.makeRoom()
        try await settle(faulty)
    }

    @Test(
        "a standby whose disk is filled at once is dropped, and taken back with room",
        .enabled(if: SmallDisk.isPossible))
    func standby() async throws {
        let (faulty, primary) = try await startedPair()
        try #require(faulty.disks[primary.other]).fill()
        try await faulty.wait { $0.primaryStatus?.mode == "solo" }
        try await faulty.waitForWrites(2000)
        faulty.disks[primary.other]?.makeRoom()
        try await settle(faulty)
    }

    @Test(
        "both disks are filled at once: writes are refused, reads go on, and room mends it",
        .enabled(if: SmallDisk.isPossible))
    func both() async throws {
        let (faulty, _) = try await startedPair()
        let ticket = try #require(faulty.crew.ledger.acknowledged.first?.ticket)
        for disk in faulty.disks.values { try disk.fill() }
        try await faulty.wait { sight in NodeName.allCases.allSatisfy { sight.nodes[$0].value?.diskFull == true } }
        try await faulty.waitForRefusal(of: ticket)
        for disk in faulty.disks.values { disk.makeRoom() }
        try await settle(faulty)
    }
}
