import Daemon
import Replication

extension DrillFault {
    static let power: [DrillFault] =
        PairPart.allCases.map { power([$0], torn: false, isUsual: $0 == .primary) }
        + [power([.primary], torn: true), power([.standby], torn: true), power([.witness], torn: true)]
        + [
            power([.primary, .standby], torn: false, isUsual: true), power([.primary, .standby], torn: true),
            power(PairPart.allCases, torn: false), power(PairPart.allCases, torn: true),
        ]

    /// - Parameter torn: some of what was not synced has reached the disk, in any order and in parts.
    private static func power(_ parts: [PairPart], torn: Bool, isUsual: Bool = false) -> DrillFault {
        let who = parts.count == 3 ? "all" : parts.map(\.rawValue).joined(separator: " and ")
        let name = "power-" + (parts.count == 3 ? "all" : parts.map(\.rawValue).joined(separator: "-and-"))
        let rest = torn ? "part of what was not synced is lost" : "all that was not synced is lost"
        return DrillFault(
            name + (torn ? "-torn" : ""), "power cut of \(who): silence, and \(rest)",
            weight: parts.count > 1 ? .two : .one, isUsual: isUsual
        ) { scene in
            let hosts = parts.map { $0.host(scene) }
            try await scene.cutPower(hosts, torn: torn)
            if parts.count == 1 {
                try await scene.waitForLoss(of: parts[0])
            } else {
                try await scene.askInVain()
            }
            try await scene.restorePower(hosts)
        }
    }
}

extension DrillScene {
    /// A machine without power says no goodbye: its cables fall silent before its processes are gone.
    func cutPower(_ hosts: [HostName], torn: Bool) async throws {
        if disksLie {
            mark("the disks lie about syncs")
            for host in hosts { try disk(host).startLying() }
            try await hold(.seconds(1))
        }
        mark("power cut of " + (try names(hosts)))
        try await self.hosts.cut(hosts.flatMap { Direction.all(of: $0) })
        for host in hosts { try process(host).kill() }
        for host in hosts {
            if disksLie { try disk(host).stopLying() }
            var loss = PowerLoss(of: try disk(host), seed: torn ? seed : nil)
            try loss.strike()
            mark(
                "\(try process(host).name)'s disk: \(loss.bytes) bytes of \(loss.files) files were not synced, "
                    + "\(loss.names) changes of folders" + (torn ? "; part of them is lost" : "; they are lost"))
        }
    }

    func restorePower(_ hosts: [HostName]) async throws {
        try await self.hosts.mendAll()
        mend("power for " + (try names(hosts)))
        for host in hosts { try process(host).start() }
    }

    private func names(_ hosts: [HostName]) throws -> String {
        try hosts.map { try process($0).name }.joined(separator: ", ")
    }
}
