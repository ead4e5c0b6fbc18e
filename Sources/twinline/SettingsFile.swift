import Daemon
import Foundation
import NIOCore
import Replication
import Seat
import Transport
import Yams

/// Stand-in until the configuration module arrives.
struct SettingsFile {
    let yaml: [String: Any]
    let base: URL
    init(_ path: String) throws {
        base = URL(filePath: path).deletingLastPathComponent()
        yaml = try Yams.load(yaml: try String(contentsOfFile: path, encoding: .utf8)) as? [String: Any] ?? [:]
    }
    func string(_ key: String) -> String { yaml[key] as? String ?? "" }
    func path(_ key: String) -> String {
        let value = string(key)
        return value.hasPrefix("/") ? value : base.appending(path: value).path
    }
    func address(_ text: String) throws -> SocketAddress {
        let parts = text.split(separator: ":")
        return try SocketAddress(ipAddress: String(parts[0]), port: Int(parts[1]) ?? 0)
    }
    func addresses(_ value: Any?) throws -> [SocketAddress] { try (value as? [String] ?? []).map(address) }
    var tls: TLSFiles { TLSFiles(certificate: path("certificate"), key: path("key"), authority: path("authority")) }
    func node() throws -> NodeSettings {
        NodeSettings(
            pair: string("pair"), node: string("node") == "b" ? .b : .a, listen: try addresses(yaml["listen"]),
            peer: try addresses(yaml["peer"]), witness: try address(string("witness")), data: path("data"), tls: tls)
    }
    func witness() throws -> WitnessSettings {
        WitnessSettings(listen: try addresses(yaml["listen"]), data: path("data"), tls: tls)
    }
    func seatNodes() throws -> PerNode<[SocketAddress]> {
        let nodes = yaml["nodes"] as? [String: Any] ?? [:]
        return PerNode(a: try addresses(nodes["a"]), b: try addresses(nodes["b"]))
    }
    func seat() throws -> SeatConfiguration {
        let nodes = try seatNodes()
        let routes = NodeName.allCases.flatMap { name in
            nodes[name].map { SeatConfiguration.Route(name, address: $0.ipAddress ?? "", port: $0.port ?? 0) }
        }
        return SeatConfiguration(
            routes: routes, certificate: tls.certificate, key: tls.key, authority: tls.authority,
            revocations: tls.revocations)
    }
    func witnessAddress() throws -> SocketAddress { try address(string("witness")) }
}
