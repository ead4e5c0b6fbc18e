import Foundation

/// A host's cable that something else has taken the place of.
final class ReplacedCable {
    let host: HostName
    let network: Network
    fileprivate let process: ManagedProcess

    fileprivate init(_ host: HostName, _ network: Network, _ process: ManagedProcess) {
        (self.host, self.network, self.process) = (host, network, process)
    }

    /// Between the switch and what stands in the cable's place.
    fileprivate var atSwitch: String { "x" + network.port(of: host) }
    fileprivate var inside: String { "y" + network.port(of: host) }
}

extension Hosts {
    /// From now on `twinline cable` stands between this host and the switch; what is under way when it steps in may be
    /// lost.
    /// - Parameter options: its own.
    func replaceCable(
        of host: HostName, on network: Network, log: URL, _ options: [String]
    ) async throws -> ReplacedCable {
        let port = network.port(of: host)
        let program = ["nsenter", "--net=\(Self.names)/\(Self.switches)", ManagedProcess.ownProgram.path]
        let process = ManagedProcess(
            "the cable \(port)", URL(filePath: "/usr/bin/env"), program + ["cable", port, "y" + port] + options,
            log: log)
        let cable = ReplacedCable(host, network, process)
        try await Self.onSwitch("link", "add", cable.atSwitch, "type", "veth", "peer", "name", cable.inside)
        for device in [cable.inside, cable.atSwitch] { try await Self.onSwitch("link", "set", device, "up") }
        try? FileManager.default.removeItem(at: log)
        try process.start()
        let deadline = ContinuousClock.now + .seconds(10)
        while !process.lastWords().contains(CableCommand.ready) {
            guard process.isRunning, ContinuousClock.now < deadline else {
                throw Failure("\(process.name) can't be replaced: \(process.lastWords())")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        try await Self.onSwitch("link", "set", port, "nomaster")
        try await Self.onSwitch("link", "set", cable.atSwitch, "master", "switch\(network.rawValue)")
        return cable
    }

    func putBack(_ cable: ReplacedCable) async throws {
        let port = cable.network.port(of: cable.host)
        try await Self.onSwitch("link", "set", port, "master", "switch\(cable.network.rawValue)")
        cable.process.kill()
        try await Self.onSwitch("link", "delete", cable.atSwitch)
    }

    private static func onSwitch(_ arguments: String...) async throws { try await ip(["-n", switches] + arguments) }
}
