import Daemon
import Foundation
import NIOCore
import NIOPosix
import Replication
import Seat
import Transport

/// A whole pair on this machine, each part a process of its own, with certificates made for it: for the demo and for
/// benchmarks. Each node listens on 127.0.0.1 and 127.0.0.2, so that a seat holds four connections.
final class ThrowawayPair {
    static let name = "demo"
    let directory: URL
    let nodes: [NodeName: ManagedProcess]
    let witness: ManagedProcess
    let view: PairView
    private let ports: [Int]
    private let keep: Bool

    /// - Parameter directory: kept afterwards; nil for a temporary one, which is not.
    /// - Parameter program: what to start; nil for this very program.
    /// - Parameter settings: further lines of the nodes' configurations.
    /// - Parameter environment: of a node's process, given its name and the directory.
    init(
        in directory: URL?, seats: Int, program: URL? = nil, settings: String = "segment-size: 8MiB",
        environment: (NodeName, URL) -> [String: String] = { _, _ in [:] }
    ) throws {
        let program = program ?? ManagedProcess.ownProgram
        keep = directory != nil
        let random = String(UInt64.random(in: 0 ... .max), radix: 36)
        let directory = directory ?? FileManager.default.temporaryDirectory.appending(path: "twinline-\(random)")
        self.directory = directory
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        ports = try Self.freePorts(3)
        try Self.makeCertificates(in: directory, seats: seats)
        try Self.writeConfigurations(in: directory, ports, settings)
        var nodes: [NodeName: ManagedProcess] = [:]
        for name in NodeName.allCases {
            nodes[name] = ManagedProcess(
                "node \(name)", program, ["node", "--config", directory.appending(path: "node-\(name).yaml").path],
                environment: environment(name, directory), log: directory.appending(path: "node-\(name).log"))
        }
        self.nodes = nodes
        witness = ManagedProcess(
            "witness", program, ["witness", "--config", directory.appending(path: "witness.yaml").path],
            log: directory.appending(path: "witness.log"))
        view = try PairView(
            routes: PerNode(a: try Self.routes(ports[0]), b: try Self.routes(ports[1])),
            tls: Self.tls("ops-demo", in: directory))
    }

    deinit {
        for node in nodes.values { node.kill() }
        witness.kill()
        if !keep { try? FileManager.default.removeItem(at: directory) }
    }

    /// Starts the three, makes them a pair, and waits until a failover is possible.
    func start() async throws {
        try witness.start()
        for node in nodes.values { try node.start() }
        let client = try OpsClient(
            tls: Self.tls("ops-demo", in: directory), group: MultiThreadedEventLoopGroup.singleton)
        let formatter = PairFormatter(
            client, a: try Self.address(ports[0]), b: try Self.address(ports[1]), witness: try Self.address(ports[2]))
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            do {
                try await formatter.look()
                break
            } catch let error as TransportError {
                // Not listening yet.
                guard ContinuousClock.now < deadline, (nodes.values + [witness]).allSatisfy(\.isRunning) else {
                    let said = (nodes.values + [witness]).map { $0.lastWords() }.joined(separator: "\n")
                    throw Failure("the pair did not start: \(error)\n\(said)")
                }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        _ = try await formatter.format { _ in }
        guard await waitUntilPaired(within: .seconds(20)) != nil else {
            throw Failure("the nodes did not pair: \(await view.look().verdict)")
        }
    }

    /// Nil: not in this time.
    func waitUntilPaired(within time: Duration) async -> PairView.Sight? {
        let deadline = ContinuousClock.now + time
        while ContinuousClock.now < deadline {
            let sight = await view.look()
            if sight.isPaired { return sight }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return nil
    }

    func seat(_ number: Int) -> SeatConfiguration { client("seat-\(number)") }
    /// Of the role that may use SQL.
    var service: SeatConfiguration { client("service-demo") }

    private func client(_ name: String) -> SeatConfiguration {
        var routes: [SeatConfiguration.Route] = []
        for (index, node) in NodeName.allCases.enumerated() {
            for host in ["127.0.0.1", "127.0.0.2"] {
                routes.append(SeatConfiguration.Route(node, address: host, port: ports[index]))
            }
        }
        let files = Self.tls(name, in: directory)
        return SeatConfiguration(
            routes: routes, certificate: files.certificate, key: files.key, authority: files.authority)
    }

    // MARK: making it

    private static func tls(_ name: String, in directory: URL) -> TLSFiles {
        let pki = directory.appending(path: "pki")
        return TLSFiles(
            certificate: pki.appending(path: "\(name).pem").path, key: pki.appending(path: "\(name).key").path,
            authority: pki.appending(path: "ca.pem").path)
    }

    private static func address(_ port: Int, host: String = "127.0.0.1") throws -> SocketAddress {
        try SocketAddress(ipAddress: host, port: port)
    }

    private static func routes(_ port: Int) throws -> [SocketAddress] {
        [try address(port), try address(port, host: "127.0.0.2")]
    }

    private static func makeCertificates(in directory: URL, seats: Int) throws {
        guard let pki = InstalledFile.find("pki") else {
            throw Failure("can't find Deploy/pki, which makes the certificates; run this from the project's folder")
        }
        let target = directory.appending(path: "pki").path
        try run(pki, ["init", target, name])
        for role in ["node/a", "node/b", "witness", "ops/demo", "service/demo"] + (1...seats).map({ "seat/\($0)" }) {
            try run(pki, ["issue", target, role])
        }
    }

    private static func run(_ program: URL, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        let errors = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(
                "\(program.lastPathComponent) \(arguments.joined(separator: " ")) failed: "
                    + String(decoding: said, as: UTF8.self))
        }
    }

    private static func writeConfigurations(in directory: URL, _ ports: [Int], _ settings: String) throws {
        func listen(_ port: Int) -> String { "[\"127.0.0.1:\(port)\", \"127.0.0.2:\(port)\"]" }
        func files(_ name: String) -> String {
            "certificate: pki/\(name).pem\nkey: pki/\(name).key\nauthority: pki/ca.pem\n"
        }
        func write(_ name: String, _ text: String) throws {
            try text.write(to: directory.appending(path: name), atomically: true, encoding: .utf8)
        }
        for (index, node) in NodeName.allCases.enumerated() {
            try write(
                "node-\(node).yaml",
                """
                pair: \(name)
                node: \(node)
                listen: \(listen(ports[index]))
                peer: \(listen(ports[1 - index]))
                witness: "127.0.0.1:\(ports[2])"
                data: data-\(node)
                \(settings)
                \(files("node-\(node)"))
                """)
        }
        try write("witness.yaml", "listen: [\"127.0.0.1:\(ports[2])\"]\ndata: data-witness\n" + files("witness"))
        try write(
            "seat.yaml",
            """
            pair: \(name)
            nodes:
              a: \(listen(ports[0]))
              b: \(listen(ports[1]))
            witness: "127.0.0.1:\(ports[2])"
            \(files("ops-demo"))
            """)
    }

    /// Free on both of a node's addresses, as far as anyone can say.
    private static func freePorts(_ count: Int) throws -> [Int] {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        var channels: [any Channel] = []
        defer { for channel in channels { try? channel.close().wait() } }
        var ports: [Int] = []
        while ports.count < count {
            let first = try bootstrap.bind(host: "127.0.0.1", port: 0).wait()
            channels.append(first)
            guard let port = first.localAddress?.port,
                let second = try? bootstrap.bind(host: "127.0.0.2", port: port).wait()
            else { continue }
            channels.append(second)
            ports.append(port)
        }
        return ports
    }
}
