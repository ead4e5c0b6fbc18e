import Daemon
import Foundation
import Replication
import Seat

/// What a fault of a drill on hosts of its own works on.
final class DrillScene: DrilledPair {
    let hosts: Hosts
    let pair: ThrowawayPair
    let disks: [HostName: HostDisk]
    let clocks: [HostName: HostClock]
    let seed: UInt64
    /// In the last second before a power cut the disks say that they have synced, and have not.
    var disksLie = false
    var replaced: [ReplacedCable] = []

    init(
        hosts: Hosts, pair: ThrowawayPair, disks: [HostName: HostDisk], clocks: [HostName: HostClock],
        seats: DrillSeats, probe: SeatClient, seed: UInt64, say: @escaping (String) -> Void
    ) {
        (self.hosts, self.pair, self.disks, self.clocks, self.seed) = (hosts, pair, disks, clocks, seed)
        super.init(view: pair.view, seats: seats, probe: probe, say: say)
    }

    func disk(_ host: HostName) throws -> HostDisk { try found(disks[host], host) }
    func clock(_ host: HostName) throws -> HostClock { try found(clocks[host], host) }

    func process(_ host: HostName) throws -> ManagedProcess {
        switch host {
        case .a: try found(pair.nodes[.a], host)
        case .b: try found(pair.nodes[.b], host)
        case .witness: pair.witness
        case .seats: try found(nil, host)
        }
    }

    private func found<Part>(_ part: Part?, _ host: HostName) throws -> Part {
        guard let part else { throw Failure("host \(host) has no such part") }
        return part
    }

    /// What is wrong with a host's disk from now on; nothing, without any: lines as in Deploy/drill/DiskFaults.c.
    func breakDisk(_ host: HostName, _ faults: String...) throws {
        try faults.joined(separator: "\n").write(
            toFile: Self.diskFaults(host, in: pair.directory), atomically: true, encoding: .utf8)
    }

    static func diskFaults(_ host: HostName, in directory: URL) -> String {
        directory.appending(path: "faults-\(host.rawValue)").path
    }

    /// Runs `twinline` on a host.
    @discardableResult
    func twinline(_ host: HostName, _ arguments: String..., config: String) async throws -> String {
        let config = pair.directory.appending(path: config).path
        let words = hosts.launcher(host) + [ManagedProcess.ownProgram.path] + arguments + ["--config", config]
        return try await ShellCommand(words).run()
    }

    func putBackCables() async throws {
        while let cable = replaced.popLast() { try await hosts.putBack(cable) }
    }

    /// Makes all whole again, as far as a fault that failed has left it broken.
    func tidyUp() async {
        try? await putBackCables()
        try? await hosts.mendAll()
        for host in [HostName.a, .b, .witness] {
            try? disk(host).makeRoom()
            try? breakDisk(host)
            try? clock(host).set(.zero)
            guard let process = try? self.process(host) else { continue }
            process.wake()
            if !process.isRunning { try? process.start() }
        }
    }
}
