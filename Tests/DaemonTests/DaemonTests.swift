import Foundation
import Logging
import NIOCore
import NIOPosix
import Replication
import Testing
import Transport

@testable import Daemon

/// A whole pair in one process: the real daemons over loopback TLS, on ports that the system chose.
final class TestPair: Sendable {
    let directory: URL
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let ports: [Int]

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "twinline-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        ports = try Self.freePorts(3)
        let pki = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Deploy/pki").path
        try Self.run(pki, ["init", path("pki"), "test"])
        for name in ["node/a", "node/b", "witness", "ops/admin", "seat/1"] {
            try Self.run(pki, ["issue", path("pki"), name])
        }
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func path(_ name: String) -> String { directory.appending(path: name).path }

    func tls(_ name: String) -> TLSFiles {
        TLSFiles(
            certificate: path("pki/\(Self.file(name)).pem"), key: path("pki/\(Self.file(name)).key"), authority: path("pki/ca.pem"))
    }

    private static func file(_ name: String) -> String { name.replacingOccurrences(of: "/", with: "-") }

    func address(_ index: Int) throws -> SocketAddress {
        try SocketAddress(ipAddress: "127.0.0.1", port: ports[index])
    }

    func node(_ name: NodeName) throws -> NodeSettings {
        let own = name == .a ? 0 : 1
        return NodeSettings(
            pair: "test", node: name, listen: [try address(own)], peer: [try address(1 - own)],
            witness: try address(2), data: path("data-\(name)"), tls: tls("node/\(name)"), segmentSize: 1 << 20)
    }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    private static func freePorts(_ count: Int) throws -> [Int] {
        let group = MultiThreadedEventLoopGroup.singleton
        let channels = try (0..<count).map { _ in
            try ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).wait()
        }
        defer { for channel in channels { try? channel.close().wait() } }
        return channels.map { $0.localAddress?.port ?? 0 }
    }
}

@Suite(.serialized) struct PairTests {
    @Test("a new pair is formatted, pairs itself, and hands over on request")
    func formatsAndPairs() async throws {
        let pair = try TestPair()
        var log = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .info
        let (stopA, stopB, stopWitness) = (Stopper(), Stopper(), Stopper())
        let witness = WitnessDaemon(
            WitnessSettings(listen: [try pair.address(2)], data: pair.path("witness"), tls: pair.tls("witness")), log: log)
        let a = NodeDaemon(try pair.node(.a), log: log)
        let b = NodeDaemon(try pair.node(.b), log: log)
        async let w: ExitCode = witness.run(stopWitness)
        async let ra: ExitCode = a.run(stopA)
        async let rb: ExitCode = b.run(stopB)
        let client = try OpsClient(tls: pair.tls("ops/admin"), group: pair.group)
        let formatter = PairFormatter(client, a: try pair.address(0), b: try pair.address(1), witness: try pair.address(2))
        while true {
            do { _ = try await formatter.format { print($0) }; break } catch let error as TransportError { print(error) }
        }
        while true {
            if let status = try? await client.status(of: .a, at: try pair.address(0)), status.failoverPossible {
                print(status)
                break
            }
        }
        stopA.request()
        #expect(await ra == .orderly)
        while true {
            let status = try await client.status(of: .b, at: try pair.address(1))
            if status.standing.role == .primary { print(status); break }
        }
        stopB.request()
        stopWitness.request()
        #expect(await rb == .orderly)
        #expect(await w == .orderly)
    }
}
