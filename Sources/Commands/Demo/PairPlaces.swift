import NIOCore
import Replication

/// Where the parts of a throw-away pair run, and how they reach each other.
struct PairPlaces: Sendable {
    struct Place: Equatable, Sendable {
        /// An address for each route, for the other node and for seats.
        var routes: [String]
        /// Where only the pair's maker asks; none: on the routes.
        var watch: [String] = []
        var port: Int
        /// As in a configuration: relative to the pair's directory, or absolute.
        var data: String
        /// What stands before the command that is started; none: nothing.
        var launcher: [String] = []
        /// Beside what this process has.
        var environment: [String: String] = [:]

        var watched: [SocketAddress] {
            get throws { try (watch.isEmpty ? routes : watch).map { try SocketAddress(ipAddress: $0, port: port) } }
        }
    }

    var nodes: PerNode<Place>
    var witness: Place
    /// Whether the parts heed the authority's revocation list.
    var revokes = false

    /// On this host. Each node listens on two addresses, so that a seat holds four connections.
    static func loopback() throws -> PairPlaces {
        let hosts = ["127.0.0.1", "127.0.0.2"]
        let ports = try FreePorts.find(3, on: hosts)
        return PairPlaces(
            nodes: PerNode(
                a: Place(routes: hosts, port: ports[0], data: "data-a"),
                b: Place(routes: hosts, port: ports[1], data: "data-b")),
            witness: Place(routes: [hosts[0]], port: ports[2], data: "data-witness"))
    }
}
