import Foundation
import Replication
import Seat
import Testing
import Tickets

@testable import twinline

/// Real file systems that another process fills up at once, between two looks at how much room there is.
extension ProcessTests.FilledDiskTests {
    private func startedPair() async throws -> (FaultyPair, [NodeName: SmallDisk], primary: NodeName) {
        let faulty = try FaultyPair(settings: "segment-size: 1MiB")
        func disk(_ node: NodeName) throws -> SmallDisk {
            try SmallDisk(at: faulty.pair.directory.appending(path: "data-\(node)").path, megabytes: 200)
        }
        let disks = [NodeName.a: try disk(.a), .b: try disk(.b)]
        try await faulty.start()
        return (faulty, disks, try await faulty.primary())
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
        "a primary whose disk is filled at once hands over to a standby with room", .enabled(if: SmallDisk.isPossible),
        .timeLimit(.minutes(3)))
    func primary() async throws {
        let (faulty, disks, primary) = try await startedPair()
        try #require(disks[primary]).fill()
        try await faulty.wait { $0.primary == primary.other }
        // Long enough for the standby to have been asked for all that waited.
        try await faulty.waitForWrites(2000)
        #expect(await faulty.pair.view.look().nodes[primary].value?.diskFull == true)
        disks[primary]?.makeRoom()
        try await settle(faulty)
    }

    @Test(
        "a standby whose disk is filled at once is dropped, and taken back with room",
        .enabled(if: SmallDisk.isPossible), .timeLimit(.minutes(3)))
    func standby() async throws {
        let (faulty, disks, primary) = try await startedPair()
        try #require(disks[primary.other]).fill()
        try await faulty.wait { $0.primaryStatus?.mode == "solo" }
        try await faulty.waitForWrites(2000)
        disks[primary.other]?.makeRoom()
        try await settle(faulty)
    }

    @Test(
        "both disks are filled at once: writes are refused, reads go on, and room mends it",
        .enabled(if: SmallDisk.isPossible), .timeLimit(.minutes(3)))
    func both() async throws {
        let (faulty, disks, _) = try await startedPair()
        let ticket = try #require(faulty.crew.ledger.acknowledged.first?.ticket)
        for disk in disks.values { try disk.fill() }
        try await faulty.wait { sight in NodeName.allCases.allSatisfy { sight.nodes[$0].value?.diskFull == true } }
        let seat = try SeatClient(configuration: faulty.pair.seat(1))
        #expect(try await seat.show(ticket) != nil)
        let before = try await seat.history(of: ticket).count
        await #expect(throws: SeatError.diskFull) {
            try await seat.perform(.note(ticket, text: "no room"), within: .milliseconds(500))
        }
        #expect(try await seat.history(of: ticket).count == before)
        await seat.close()
        for disk in disks.values { disk.makeRoom() }
        try await settle(faulty)
    }
}
