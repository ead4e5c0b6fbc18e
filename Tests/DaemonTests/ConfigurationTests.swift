import Foundation
import NIOCore
import Replication
import Testing

@testable import Daemon

final class ConfigurationTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "twinline-\(UUID().uuidString)")
    private static let examples = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Deploy").standardized

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: folder) }

    private static let node = """
        pair: hotline
        node: a
        listen: ["127.0.0.1:7401", "[::1]:7401"]
        peer: 127.0.0.1:7402
        witness: 127.0.0.1:7400
        data: data
        certificate: pki/a.pem
        key: /etc/a.key
        authority: ../ca.pem

        """

    private func write(_ text: String) throws -> String {
        let file = folder.appending(path: "node.yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    /// What a node's configuration is refused for: a line for each fault, without the file's name.
    private func faults(_ text: String) throws -> [String] {
        let path = try write(text)
        do {
            _ = try NodeConfiguration(path: path)
            return []
        } catch {
            return error.description.split(separator: "\n").map { $0.dropFirst(path.count).description }
        }
    }

    @Test("the documented examples are valid, and their nodes fit together", arguments: ["one-host", "two-hosts"])
    func examples(name: String) throws {
        let folder = Self.examples.appending(path: name)
        let a = try NodeConfiguration(path: folder.appending(path: "node-a.yaml").path).settings
        let b = try NodeConfiguration(path: folder.appending(path: "node-b.yaml").path).settings
        let witness = try WitnessConfiguration(path: folder.appending(path: "witness.yaml").path).settings
        let seat = try PairConfiguration(path: folder.appending(path: "seat.yaml").path)
        #expect(a.node == .a && b.node == .b)
        #expect(Set([a.pair, b.pair, seat.pair]) == ["hotline"])
        #expect(a.peer == b.listen && b.peer == a.listen)
        #expect(seat.nodes.a == a.listen && seat.nodes.b == b.listen)
        #expect(witness.listen == [a.witness] && a.witness == b.witness && seat.witness == a.witness)
        #expect(a.timings == Timings() && b.timings == Timings())
        #expect(a.segmentSize == 64 << 20)
        #expect(a.tls.revocations?.hasSuffix("pki/crl.pem") == true)
    }

    @Test("a seat's names are kept as they were written, to be looked up again")
    func names() throws {
        let files = "certificate: a\nkey: b\nauthority: c\n"
        let nodes = "nodes:\n  a: [\"localhost:7401\", \"[::1]:7403\"]\n  b: 127.0.0.1:7402\n"
        let path = try write("pair: hotline\n" + nodes + files)
        let seat = try PairConfiguration(path: path)
        #expect(seat.hosts == PerNode(a: ["localhost", "::1"], b: ["127.0.0.1"]))
        #expect(seat.nodes.a.map(\.port) == [7401, 7403] && seat.nodes.b[0].ipAddress == "127.0.0.1")
    }

    @Test("what is left out has its default, and paths are relative to the file")
    func defaults() throws {
        let configuration = try NodeConfiguration(path: try write(Self.node))
        let settings = configuration.settings
        #expect(configuration.logLevel == .info)
        #expect(
            settings.listen == [
                try SocketAddress(ipAddress: "127.0.0.1", port: 7401), try SocketAddress(ipAddress: "::1", port: 7401),
            ])
        #expect(settings.peer == [try SocketAddress(ipAddress: "127.0.0.1", port: 7402)])
        #expect(settings.data == folder.appending(path: "data").path)
        #expect(settings.tls.certificate == folder.appending(path: "pki/a.pem").path)
        #expect(settings.tls.key == "/etc/a.key")
        #expect(settings.tls.authority == folder.deletingLastPathComponent().appending(path: "ca.pem").path)
        #expect(settings.tls.revocations == nil)
        #expect(settings.timings == Timings() && settings.segmentSize == 64 << 20 && settings.wakeful)
    }

    @Test("sizes and times have units")
    func units() throws {
        let options =
            "segment-size: 1GiB\nlog-level: debug\nwakeful: no\n"
            + "timings: {heartbeat: 20ms, suspect-after: 1 s, reread: 2m}"
        let configuration = try NodeConfiguration(path: try write(Self.node + options))
        #expect(configuration.settings.segmentSize == 1 << 30)
        #expect(configuration.logLevel == .debug)
        #expect(!configuration.settings.wakeful)
        #expect(configuration.settings.timings.heartbeat == 20)
        #expect(configuration.settings.timings.suspectAfter == 1000)
        #expect(configuration.settings.timings.reread == 120_000)
    }

    @Test("every fault is told at once, each with its line and key")
    func allAtOnce() throws {
        let found = try faults(
            """
            pair: hot line
            node: c
            listen: ["127.0.0.1:7401", "127.0.0.1", "::1:7401", "127.0.0.1:70000"]
            peer: {a: 1}
            witness: 127.0.0.1:0
            data: [x, y]
            certificate: a.pem
            authority: ""
            lisen: 5
            segment-size: 64
            wakeful: maybe
            timings:
              heartbeat: 50
              suspect: 300ms
              stall-after: 0s

            """)
        let places = found.map { $0.components(separatedBy: ": ").prefix(2).joined(separator: " ") }
        #expect(
            places == [
                " key", ":1 pair", ":2 node", ":3 listen", ":3 listen", ":3 listen", ":4 peer", ":5 witness", ":6 data",
                ":8 authority", ":9 lisen", ":10 segment-size", ":11 wakeful", ":13 timings.heartbeat",
                ":14 timings.suspect", ":15 timings.stall-after",
            ])
        #expect(found[0] == ": key: is missing")
        #expect(found[2] == ":2: node: 'c' is no node; write a or b")
        #expect(found[13].hasSuffix("heartbeat: '50' is no quantity with a unit; write for example 300ms, 1s or 2m"))
    }

    @Test("addresses that stand in two places are refused: a node as its own peer, two routes that are one")
    func twice() throws {
        let peers = "peer: [127.0.0.1:7401, 127.0.0.1:7402, 127.0.0.1:7402]"
        let text = Self.node.replacing("peer: 127.0.0.1:7402", with: peers)
        #expect(
            try faults(text) == [
                ":4: peer: 127.0.0.1:7401 stands here also under listen", ":4: peer: 127.0.0.1:7402 stands here twice",
            ])
        let free = Self.node.replacing("[\"127.0.0.1:7401\", \"[::1]:7401\"]", with: "[127.0.0.1:0, 127.0.0.1:0]")
        #expect(try faults(free) == [])
    }

    @Test("a heartbeat that leaves no room for a late one is refused")
    func heartbeat() throws {
        #expect(try faults(Self.node + "timings: {heartbeat: 149ms}") == [])
        let found = try faults(Self.node + "timings: {heartbeat: 150ms}")
        #expect(found.count == 1 && found[0].hasPrefix(":10: timings.heartbeat: 150 ms is not below half"))
    }

    @Test("what is no YAML, or no file, is refused with its place")
    func noYAML() throws {
        #expect(try faults("pair: [") == [":2: no YAML: did not find expected node content"])
        #expect(try faults("- a\n- b") == [": keys and values are expected; Deploy/ has documented examples"])
        #expect(try faults("").count == 1)
        #expect(try faults("pair: x\npair: y")[0].contains("written twice: pair"))
        let missing = folder.appending(path: "none.yaml").path
        let error = #expect(throws: ConfigurationError.self) { try NodeConfiguration(path: missing) }
        #expect(error?.faults.count == 1 && error?.faults[0].reason.hasPrefix("can't be read") == true)
    }
}
