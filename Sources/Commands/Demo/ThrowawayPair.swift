import Daemon
import Foundation
import NIOCore
import NIOPosix
import Replication
import Seat
import Transport

/// A whole pair on this machine, each part a process of its own, with certificates made for it: for the demo, for
/// benchmarks and for drills.
final class ThrowawayPair {
    static let name = "demo"
    let directory: URL
    let nodes: [NodeName: ManagedProcess]
    let witness: ManagedProcess
    let view: PairView
    let places: PairPlaces
    private let keep: Bool
    /// For whatever its processes are to come to: much longer than it takes, since a busy machine is no failure.
    static let patience = Duration.seconds(120)

    /// - Parameter directory: kept afterwards; nil for a temporary one, which is not.
    /// - Parameter program: what to start; nil for this very program.
    /// - Parameter settings: further lines of the nodes' configurations.
    /// - Parameter environment: of a node's process, given its name and the directory.
    convenience init(
        in directory: URL?, seats: Int, program: URL? = nil, settings: String = "segment-size: 8MiB",
        environment: (NodeName, URL) -> [String: String] = { _, _ in [:] }
    ) throws {
        let chosen = directory ?? Self.temporaryDirectory()
        var places = try PairPlaces.loopback()
        for name in NodeName.allCases { places.nodes[name].environment = environment(name, chosen) }
        try self.init(
            in: chosen, keep: directory != nil, seats: seats, program: program ?? ManagedProcess.ownProgram,
            settings: settings, places: places)
    }

    init(
        in directory: URL, keep: Bool, seats: Int, program: URL, settings: String, places: PairPlaces
    ) throws {
        (self.directory, self.keep, self.places) = (directory, keep, places)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try Self.makeCertificates(in: directory, seats: seats)
        try Self.writeConfigurations(in: directory, places, settings)
        func process(_ name: String, _ command: String, _ file: String, _ place: PairPlaces.Place) -> ManagedProcess {
            let words = place.launcher + [program.path, command, "--config", directory.appending(path: file).path]
            return ManagedProcess(
                name, URL(filePath: words[0]), Array(words.dropFirst()), environment: place.environment,
                log: directory.appending(path: file.replacing(".yaml", with: ".log")))
        }
        nodes = Dictionary(
            uniqueKeysWithValues: NodeName.allCases.map {
                ($0, process("node \($0)", "node", "node-\($0).yaml", places.nodes[$0]))
            })
        witness = process("witness", "witness", "witness.yaml", places.witness)
        view = try PairView(
            routes: PerNode(a: try places.nodes.a.watched, b: try places.nodes.b.watched),
            tls: Self.tls("ops-demo", in: directory))
    }

    static func temporaryDirectory() -> URL {
        let random = String(UInt64.random(in: 0 ... .max), radix: 36)
        return FileManager.default.temporaryDirectory.appending(path: "twinline-\(random)")
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
            client, a: try places.nodes.a.watched[0], b: try places.nodes.b.watched[0],
            witness: try places.witness.watched[0])
        let deadline = ContinuousClock.now + Self.patience
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
        guard await waitUntilPaired() != nil else {
            throw Failure("the nodes did not pair: \(await view.look().verdict)")
        }
    }

    /// Nil: it does not come to that.
    func waitUntilPaired() async -> PairView.Sight? {
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            let sight = await view.look()
            if sight.isPaired { return sight }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return nil
    }
}
