import Foundation
import NIOCore
import NIOPosix
import Replication
import Seat
import Testing
import Transport

@testable import Daemon

/// Certificates, folders and free ports for a pair in one process.
final class LivePair: Sendable {
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
            certificate: path("pki/\(Self.file(name)).pem"), key: path("pki/\(Self.file(name)).key"),
            authority: path("pki/ca.pem"))
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

    var seat: SeatConfiguration {
        let files = tls("seat/1")
        return SeatConfiguration(
            routes: [.init(.a, address: "127.0.0.1", port: ports[0]), .init(.b, address: "127.0.0.1", port: ports[1])],
            certificate: files.certificate, key: files.key, authority: files.authority)
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
