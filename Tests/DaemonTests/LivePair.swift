import Foundation
import NIOCore
import NIOPosix
import Replication
import Seat
import TestSupport
import Testing
import Transport

@testable import Daemon
@testable import Commands

/// Certificates, folders and free ports for a pair in one process.
final class LivePair: Sendable {
    let directory: URL
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let ports: [Int]

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "twinline-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        ports = try FreePorts.find(3, on: ["127.0.0.1"])
        try pki("init", path("pki"), "test")
        for name in ["node/a", "node/b", "witness", "ops/admin", "seat/1"] { try issue(name) }
    }

    func pki(_ arguments: String...) throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Deploy/pki").path
        try Self.run(script, arguments)
    }

    func issue(_ name: String) throws { try pki("issue", path("pki"), name) }

    /// As a replacement, without revoking what it replaces.
    func issueAgain(_ name: String, days: Int) throws {
        for file in [tls(name).certificate, tls(name).key] { try FileManager.default.removeItem(atPath: file) }
        try pki("issue", path("pki"), name, "\(days)")
    }

    /// A certificate that ends at a given second, which `pki` would not issue.
    func issue(_ name: String, until end: Date) throws {
        let file = path("pki/\(Self.file(name))")
        let configuration = """
            [ca]
            default_ca = x
            [x]
            database = \(file).txt
            rand_serial = yes
            default_md = sha256
            policy = any
            copy_extensions = copy
            [any]
            commonName = supplied
            """
        try configuration.write(toFile: file + ".cnf", atomically: true, encoding: .utf8)
        try "".write(toFile: file + ".txt", atomically: true, encoding: .utf8)
        try Self.run(
            "/usr/bin/openssl",
            [
                "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=short",
                "-addext", "subjectAltName=URI:twinline://test/\(name)", "-keyout", file + ".key", "-out",
                file + ".csr",
            ])
        let digits = end.formatted(.iso8601).filter(\.isNumber)
        try Self.run(
            "/usr/bin/openssl",
            [
                "ca", "-config", file + ".cnf", "-batch", "-notext", "-cert", path("pki/ca.pem"), "-keyfile",
                path("pki/ca.key"), "-startdate", "20200101000000Z", "-enddate", digits + "Z", "-outdir", path("pki"),
                "-in", file + ".csr", "-out", file + ".pem",
            ])
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func path(_ name: String) -> String { directory.appending(path: name).path }

    func tls(_ name: String) -> TLSFiles {
        TLSFiles(
            certificate: path("pki/\(Self.file(name)).pem"), key: path("pki/\(Self.file(name)).key"),
            authority: path("pki/ca.pem"), revocations: path("pki/crl.pem"))
    }

    private static func file(_ name: String) -> String { name.replacingOccurrences(of: "/", with: "-") }

    func address(_ index: Int) throws -> SocketAddress {
        try SocketAddress(ipAddress: "127.0.0.1", port: ports[index])
    }

    func node(_ name: NodeName) throws -> NodeSettings {
        let own = name == .a ? 0 : 1
        return NodeSettings(
            pair: "test", node: name, listen: [try address(own)], peer: [try address(1 - own)],
            witness: try address(2), data: path("data-\(name)"), tls: tls("node/\(name)"), timings: Self.timings,
            segmentSize: 1 << 20)
    }

    /// Stretched: a node that is late is not lost, nor is one that shares its process with a dozen others.
    private static var timings: Timings {
        var timings = Timings()
        for field in [\Timings.heartbeat, \.suspectAfter, \.stallAfter, \.handoverAfter, \.witnessAnswer] {
            timings[keyPath: field] *= 2 * UInt64(Pace.factor)
        }
        return timings
    }

    var seat: SeatConfiguration { seat("seat/1") }

    func seat(_ name: String) -> SeatConfiguration {
        let files = tls(name)
        return SeatConfiguration(
            routes: [.init(.a, address: "127.0.0.1", port: ports[0]), .init(.b, address: "127.0.0.1", port: ports[1])],
            certificate: files.certificate, key: files.key, authority: files.authority)
    }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
