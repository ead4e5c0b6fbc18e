import Foundation
import Glibc

/// Hosts as network namespaces, and the switches between them. This process is the host of the seats. Runs inside
/// `OwnNamespaces`, so nothing of it needs to be taken down.
struct Hosts: Sendable {
    static let names = "/run/netns"
    static let switches = "switches"
    /// In memory, and gone with the run.
    static let directory = URL(filePath: names).appending(path: "drill")

    /// - Throws: `Failure` with what the failing command said.
    init() async throws {
        try Self.keepToOneself()
        for name in [Self.switches] + HostName.allCases.filter({ $0 != .seats }).map(\.rawValue) {
            try await Self.ip("netns", "add", name)
        }
        for network in Network.allCases {
            let name = "switch\(network.rawValue)"
            try await Self.ip("-n", Self.switches, "link", "add", name, "type", "bridge")
            try await Self.ip("-n", Self.switches, "link", "set", name, "up")
            for host in HostName.allCases where host.networks.contains(network) {
                try await Self.lay(network, to: host, from: name)
            }
        }
        for host in HostName.allCases { try await Self.ip(Self.on(host) + ["link", "set", "lo", "up"]) }
        try await Self.filter(
            """
            table bridge drill {
                set cut { type ifname . ifname; }
                chain forward {
                    type filter hook forward priority 0; policy accept;
                    iifname . oifname @cut drop
                }
            }
            """)
    }

    /// What stands before a command that runs on this host. It becomes that command: its process keeps the id.
    func launcher(_ host: HostName) -> [String] {
        host == .seats ? [] : ["/usr/bin/env", "nsenter", "--net=\(Self.names)/\(host.rawValue)"]
    }

    /// From now on nothing passes: no refusal, no end of a connection, as from a switch without power.
    func cut(_ directions: [Direction], on networks: [Network] = Network.routes) async throws {
        try await change("add", directions, networks)
    }

    func mend(_ directions: [Direction], on networks: [Network] = Network.routes) async throws {
        try await change("delete", directions, networks)
    }

    /// Mends all that is cut.
    func mendAll() async throws { try await Self.filter("flush set bridge drill cut") }

    private func change(_ verb: String, _ directions: [Direction], _ networks: [Network]) async throws {
        let pairs = networks.flatMap { network in
            Set(directions).filter { [$0.from, $0.to].allSatisfy { $0.networks.contains(network) } }
                .map { "\"\(network.port(of: $0.from))\" . \"\(network.port(of: $0.to))\"" }
        }
        guard !pairs.isEmpty else { return }
        try await Self.filter("\(verb) element bridge drill cut { \(pairs.joined(separator: ", ")) }")
    }

    /// The names of namespaces lie in a folder: one of this run's own.
    private static func keepToOneself() throws {
        try FileManager.default.createDirectory(atPath: names, withIntermediateDirectories: true)
        guard mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0,
            mount("tmpfs", names, "tmpfs", 0, nil) == 0
        else { throw Failure("can't mount anything of this run's own: \(String(cString: strerror(errno)))") }
    }

    private static func lay(_ network: Network, to host: HostName, from name: String) async throws {
        let port = network.port(of: host)
        let here = on(host)
        try await ip(
            here + ["link", "add", network.device, "type", "veth", "peer", "name", port, "netns", switches])
        try await ip("-n", switches, "link", "set", port, "master", name, "up")
        try await ip(here + ["addr", "add", network.address(of: host) + "/24", "dev", network.device])
        try await ip(here + ["link", "set", network.device, "up"])
    }

    private static func on(_ host: HostName) -> [String] { host == .seats ? [] : ["-n", host.rawValue] }
    private static func ip(_ arguments: String...) async throws { try await ip(arguments) }
    static func ip(_ arguments: [String]) async throws { try await ShellCommand(["ip"] + arguments).run() }

    private static func filter(_ rules: String) async throws {
        try await ShellCommand(["nsenter", "--net=\(names)/\(switches)", "nft", rules]).run()
    }
}
