import NIOCore
import Replication
import Tickets
import Transport

/// How a seat reaches its pair and who it is.
public struct SeatConfiguration: Sendable {
    /// One way to a node.
    public struct Route: Hashable, Sendable {
        public var node: NodeName
        /// A numeric address, IPv4 or IPv6, or a name: one with several addresses makes as many routes, and it is
        /// looked up again for each connection.
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

    /// A directory of this seat's disk, of this program alone: calls stand there before they are sent, and until they
    /// have their answer. Nil: what nobody answers is told as such.
    public var outbox: String?
    /// Called on the event loop: what became of a call whose caller was told that it is kept, or which an earlier run
    /// had taken.
    public var settled: @Sendable (Command, Result<Done, SeatError>) -> Void = { _, _ in }
    /// Called at the start: files of the outbox that can't be read, set aside under these paths.
    public var damaged: @Sendable ([String]) -> Void = { _ in }

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
    /// As configured.
    public var address: String
    public var state: State
    /// Smoothed. Nil while it is not known.
    public var roundTrip: Duration?
    /// In this state of connection.
    public var age: Duration
    /// When and why it was last lost; of one that never came about, why not.
    public struct Loss: Equatable, Sendable {
        public var reason: String
        public var ago: Duration
    }
    public var lastLoss: Loss?
    /// Silent while something waits for an answer: not used while another works.
    public var isSuspected: Bool
    /// Requests go here.
    public var isUsed: Bool
}
