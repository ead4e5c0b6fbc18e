import Daemon
import DurableLog
import Foundation
import Replication
import TestSupport
import Testing
import Wire

@testable import Commands

/// Standbys that need a copy of the whole database, under real processes and load: they fetch it, whatever is killed
/// meanwhile, and nothing is lost.
extension ProcessTests.ReseedTests {
    /// A log that soon lets go of what an absent standby needs, and a copy that takes some seconds.
    private static let settings = "segment-size: 1MiB\nlog-keep: 0s\nlog-limit: 4MiB\nreseed-rate: "

    /// - Parameter megabytes: that the database holds at least; a copy takes half a second for each, and a whole one
    ///   where everything takes longer.
    private func startedPair(megabytes: Int = 1) async throws -> (FaultyPair, primary: NodeName) {
        let faulty = try FaultyPair(settings: Self.settings + (Pace.factor > 1 ? "1MB/s" : "2MB/s"))
        try await faulty.start()
        try await faulty.writeLong(megabytes: megabytes)
        return (faulty, try await faulty.primary())
    }

    /// Kills the standby, and starts it when the primary's log no longer reaches back to what it has.
    private func outdateStandby(_ faulty: FaultyPair, _ primary: NodeName) async throws -> ManagedProcess {
        let standby = try #require(faulty.pair.nodes[primary.other])
        let before = try await faulty.appended(by: primary)
        standby.kill()
        try await faulty.writeLong(megabytes: 5)
        try await faulty.wait { ($0.nodes[primary].value?.logFirst ?? 0) > before + 1 }
        try standby.start()
        let sight = try await faulty.wait { $0.nodes[primary.other].value?.hasReseeding == true }
        #expect(sight.nodes[primary.other].value?.standing.role == .starting)
        return standby
    }

    private func wait(_ faulty: FaultyPair, _ node: NodeName, received: UInt64) async throws {
        try await faulty.wait { $0.nodes[node].value?.reseeding.received ?? 0 >= received }
    }

    /// How much of its copy a node has on its disk, by its own note there; it is made once a second.
    private func noted(_ faulty: FaultyPair, _ node: NodeName) throws -> UInt64 {
        let data = faulty.pair.directory.appending(path: "data-\(node)")
        let files = FileManager.default.enumerator(atPath: data.path)?.compactMap { $0 as? String } ?? []
        guard let name = files.first(where: { $0.hasSuffix("/progress") }) else { return 0 }
        // A copy of it: the node is at work there.
        let copy = faulty.pair.directory.appending(path: "noted")
        try? FileManager.default.removeItem(at: copy)
        try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: data.appending(path: name), to: copy.appending(path: "progress"))
        let record = try? DurableRecord(in: PosixDirectory(path: copy.path), name: "progress")
        return try record?.load().map { $0.isEmpty ? 0 : try CopyProgress(bytes: $0).received } ?? 0
    }

    /// What a node's processes have logged so far.
    private func lines(_ faulty: FaultyPair, _ node: NodeName, with text: String) throws -> [Substring] {
        let log = try String(contentsOf: faulty.pair.directory.appending(path: "node-\(node).log"), encoding: .utf8)
        return log.split(separator: "\n").filter { $0.contains(text) }
    }

    private func copies(_ faulty: FaultyPair, _ node: NodeName) throws -> [String] {
        try FileManager.default.contentsOfDirectory(
            atPath: faulty.pair.directory.appending(path: "data-\(node)").path
        ).filter { $0 != "record" }.sorted()
    }

    /// Both nodes hold the same, and all that the seats were told is there.
    private func settle(_ faulty: FaultyPair) async throws {
        try await faulty.wait { $0.isPaired }
        try await faulty.audit()
        try await faulty.wait { sight in
            let digests = NodeName.allCases.map { sight.nodes[$0].value?.digest ?? "" }
            return digests[0] == digests[1] && !digests[0].isEmpty
        }
    }

    @Test("a standby that was away for too long reseeds itself under load")
    func automatic() async throws {
        let (faulty, primary) = try await startedPair()
        _ = try await outdateStandby(faulty, primary)
        try await settle(faulty)
        #expect(try copies(faulty, primary.other) == ["copy-2"])
        // The snapshot is not kept for longer than it is needed.
        try await eventually { try copies(faulty, primary) == ["copy-1"] }
    }

    @Test("a standby that is killed while it fetches a copy goes on where it was")
    func standbyKilled() async throws {
        let (faulty, primary) = try await startedPair(megabytes: 4)
        let standby = try await outdateStandby(faulty, primary)
        try await eventually { try noted(faulty, primary.other) > 0 }
        standby.kill()
        try await faulty.waitForWrites(50)
        try standby.start()
        try await settle(faulty)
        let resumed = try lines(faulty, primary.other, with: "receiving a copy of the other node's database")
        #expect(resumed.count > 1 && resumed[0].contains(" from=0 "))
        #expect(resumed.dropFirst().allSatisfy { !$0.contains(" from=0 ") })
        #expect(try lines(faulty, primary.other, with: "going on with the copy that was begun").count == 1)
    }

    @Test("while the only node with the data is down, half a copy neither claims nor serves")
    func primaryKilled() async throws {
        let (faulty, primary) = try await startedPair(megabytes: 4)
        let standby = try await outdateStandby(faulty, primary)
        try await wait(faulty, primary.other, received: 500_000)
        let process = try #require(faulty.pair.nodes[primary])
        process.kill()
        // Restarted as well, so that it looks at its directory anew.
        standby.kill()
        try standby.start()
        let end = ContinuousClock.now + .seconds(3)
        while ContinuousClock.now < end {
            let sight = await faulty.pair.view.look()
            #expect(sight.primary == nil)
            if let status = sight.nodes[primary.other].value { #expect(status.hasReseeding) }
        }
        try process.start()
        try await faulty.wait { $0.primary == primary }
        try await settle(faulty)
        #expect(standby.isRunning && process.isRunning)
    }

    /// As after a reboot: the witness can't trust what it finds.
    private func forgetBoot(of pair: ThrowawayPair) throws {
        let directory = try PosixDirectory(path: pair.directory.appending(path: "data-witness").path)
        let record = try DurableRecord(in: directory, name: "witness")
        var file = try WitnessFile(bytes: try #require(record.load()))
        file.boot = "another one"
        try record.save(file.bytes)
    }

    @Test("when the power fails everywhere while a copy comes, the pair heals itself")
    func powerFails() async throws {
        let (faulty, primary) = try await startedPair(megabytes: 4)
        let standby = try await outdateStandby(faulty, primary)
        try await wait(faulty, primary.other, received: 500_000)
        let process = try #require(faulty.pair.nodes[primary])
        for process in [process, standby, faulty.pair.witness] { process.kill() }
        try forgetBoot(of: faulty.pair)
        for process in [faulty.pair.witness, standby, process] { try process.start() }
        try await faulty.wait { $0.primary == primary }
        try await settle(faulty)
    }

    @Test("a wiped node is reseeded by hand, and one that leads is not")
    func byHand() async throws {
        let (faulty, primary) = try await startedPair()
        #expect(try reseed(faulty, primary) == ExitCode.unavailable.rawValue)
        #expect(try reseed(faulty, primary.other) == ExitCode.temporary.rawValue)
        let standby = try #require(faulty.pair.nodes[primary.other])
        standby.stop()
        try FileManager.default.removeItem(at: faulty.pair.directory.appending(path: "data-\(primary.other)"))
        #expect(try reseed(faulty, primary.other) == 0)
        try standby.start()
        try await settle(faulty)
        // And it can take over.
        let answer = try await faulty.pair.view.switchOver(from: primary)
        #expect(answer.accepted, "\(answer.text)")
        try await faulty.wait { $0.primary == primary.other && $0.isPaired }
    }

    @Test("a node whose database is damaged is reseeded by hand")
    func damaged() async throws {
        let (faulty, primary) = try await startedPair()
        let standby = try #require(faulty.pair.nodes[primary.other])
        standby.kill()
        let data = faulty.pair.directory.appending(path: "data-\(primary.other)/copy-1")
        try Data(repeating: 7, count: 8192).write(to: data.appending(path: "tickets.sqlite"))
        try? FileManager.default.removeItem(at: data.appending(path: "tickets.sqlite-wal"))
        try standby.start()
        #expect(standby.waitForExit() != 0)
        #expect(try reseed(faulty, primary.other) == 0)
        try standby.start()
        try await settle(faulty)
    }

    /// `twinline reseed` for a node, as a process.
    private func reseed(_ faulty: FaultyPair, _ node: NodeName) throws -> Int32 {
        let process = Process()
        process.executableURL = FaultyPair.program
        process.arguments = ["reseed", "--config", faulty.pair.directory.appending(path: "node-\(node).yaml").path]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
