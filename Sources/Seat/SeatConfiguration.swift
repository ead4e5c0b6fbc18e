import NIOCore
import Replication
import Transport

/// How a seat reaches its pair and who it is.
public struct SeatConfiguration: Sendable {
    /// One way to a node.
    public struct Route: Hashable, Sendable {
        public var node: NodeName
        /// A numeric address, IPv4 or IPv6.
        public var address: String
        public var port: Int
        /// The address of this machine to go out from. Nil: as the system routes.
        public var local: String?

        public init(_ node: NodeName, address: String, port: Int, from local: String? = nil) {
            (self.node, self.address, self.port, self.local) = (node, address, port, local)
        }
    }

    /// All of them are held open.
    public var routes: [Route]
    /// PEM files: this seat's certificate and key, the pair's authority and its revocation list.
    public var certificate: String, key: String, authority: String
    public var revocations: String?
    /// The seat program's name and version, for the nodes' logs.
    public var program: String
    /// What `remember` was told last, in an earlier run.
    public var memory: SeatMemory?
    /// Called on the event loop, seldom: keep it for the next run.
    public var remember: @Sendable (SeatMemory) -> Void
    /// Called on the event loop: a node does not let this seat in, or is not what it should be. For the program's log;
    /// each reason once for each way.
    public var refused: @Sendable (Link, String) -> Void = { _, _ in }

    public init(
        routes: [Route], certificate: String, key: String, authority: String, revocations: String? = nil,
        program: String = "twinline", memory: SeatMemory? = nil,
        remember: @escaping @Sendable (SeatMemory) -> Void = { _ in }
    ) {
        (self.routes, self.certificate, self.key) = (routes, certificate, key)
        (self.authority, self.revocations, self.program) = (authority, revocations, program)
        (self.memory, self.remember) = (memory, remember)
    }
}

/// One way to a node as it is now.
public struct SeatConnection: Equatable, Sendable {
    public enum State: String, Sendable {
        /// Not connected; dialled again soon, or just now.
        case away
        /// Connected, and the node leads.
        case primary
        /// Connected, and the node does not lead.
        case standby, starting
    }

    public var link: Link
    public var state: State
    /// Smoothed. Nil while it is not known.
    public var roundTrip: Duration?
    /// In this state of connection.
    public var age: Duration
    /// Requests go here.
    public var isUsed: Bool
}
