import Daemon
import Foundation
import NIOCore
import NIOPosix
import Replication
import Seat
import Transport

/// The files of a throw-away pair: certificates, and configurations that name them.
extension ThrowawayPair {
    func seat(_ number: Int) -> SeatConfiguration { client("seat-\(number)") }
    /// Of the role that may use SQL.
    var service: SeatConfiguration { client("service-demo") }

    private func client(_ name: String) -> SeatConfiguration {
        let routes = NodeName.allCases.flatMap { node in
            places.nodes[node].routes.map {
                SeatConfiguration.Route(node, address: $0, port: places.nodes[node].port)
            }
        }
        let files = Self.tls(name, in: directory)
        return SeatConfiguration(
            routes: routes, certificate: files.certificate, key: files.key, authority: files.authority)
    }

    static func tls(_ name: String, in directory: URL) -> TLSFiles {
        let pki = directory.appending(path: "pki")
        return TLSFiles(
            certificate: pki.appending(path: "\(name).pem").path, key: pki.appending(path: "\(name).key").path,
            authority: pki.appending(path: "ca.pem").path)
    }

    static func makeCertificates(in directory: URL, seats: Int) throws {
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
        let errors = Pipe()
        let process = try ChildProcess(
            program.path, arguments, output: FileHandle.nullDevice.fileDescriptor,
            errors: errors.fileHandleForWriting.fileDescriptor)
        let said = try errors.all()
        guard process.wait() == 0 else {
            throw Failure(
                "\(program.lastPathComponent) \(arguments.joined(separator: " ")) failed: "
                    + String(decoding: said, as: UTF8.self))
        }
    }

    static func writeConfigurations(in directory: URL, _ places: PairPlaces, _ settings: String) throws {
        func list(_ place: PairPlaces.Place, _ hosts: [String]) -> String {
            "[" + hosts.map { "\"\($0):\(place.port)\"" }.joined(separator: ", ") + "]"
        }
        func files(_ name: String) -> String {
            "certificate: pki/\(name).pem\nkey: pki/\(name).key\nauthority: pki/ca.pem\n"
                + (places.revokes ? "revocations: pki/crl.pem\n" : "")
        }
        func write(_ name: String, _ text: String) throws {
            try text.write(to: directory.appending(path: name), atomically: true, encoding: .utf8)
        }
        let witness = "\"\(places.witness.routes[0]):\(places.witness.port)\""
        for node in NodeName.allCases {
            let (place, other) = (places.nodes[node], places.nodes[node.other])
            try write(
                "node-\(node).yaml",
                """
                pair: \(name)
                node: \(node)
                listen: \(list(place, place.routes + place.watch))
                peer: \(list(other, other.routes))
                witness: \(witness)
                data: \(place.data)
                \(settings)
                \(files("node-\(node)"))
                """)
        }
        try write(
            "witness.yaml",
            "listen: \(list(places.witness, places.witness.routes))\ndata: \(places.witness.data)\n" + files("witness"))
        try write(
            "seat.yaml",
            """
            pair: \(name)
            nodes:
              a: \(list(places.nodes.a, places.nodes.a.watch.isEmpty ? places.nodes.a.routes : places.nodes.a.watch))
              b: \(list(places.nodes.b, places.nodes.b.watch.isEmpty ? places.nodes.b.routes : places.nodes.b.watch))
            witness: \(witness)
            \(files("ops-demo"))
            """)
    }
}
