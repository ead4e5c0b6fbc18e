import Replication
import Tickets

/// Names one request for ever: sent again under it, however often and to whichever node, it has one effect and one
/// answer.
public struct RequestName: Hashable, Sendable, CustomStringConvertible {
    /// The seat's session, as the pair numbered it.
    public var session: Int64
    /// From 1 within the session.
    public var sequence: Int64

    public init(session: Int64, sequence: Int64) { (self.session, self.sequence) = (session, sequence) }
    public var description: String { "\(session)/\(sequence)" }
}

/// Why there is no "done". What may be said to the customer differs from case to case.
public enum SeatError: Error, Equatable, Sendable {
    /// It did not happen and will not.
    case refused(Refusal)
    /// It may have happened. Ask again under the same name: the answer is remembered with the ticket, on both nodes.
    case unknown(RequestName)
    /// It did not happen and will not: in all the time given no node was there to send it to. Of a query: no answer.
    case unreachable
    /// It did not happen and will not: in all the time given the disks of the pair were full. Reads go on.
    case diskFull
    /// It is on this seat's disk, not yet delivered, and will be, once: so many are waiting there.
    case kept(waiting: Int)
    /// The seat's own disk could not keep it, and nothing was sent: for this reason.
    case notKept(String)
    /// The configuration can't be used, for this reason.
    case misconfigured(String)
}

extension SeatError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused(let refusal): refusal.description
        case .unknown(let name):
            "No answer in time: request \(name) may have been done. Ask again under the same name, or show the ticket."
        case .unreachable: "No node answered in time, and nothing was changed: check the network, then try again."
        case .diskFull: "The pair's disks are full, and nothing was changed: make room there, then try again."
        case .kept(let waiting):
            "Kept, not yet delivered (\(waiting)): nothing is lost; it is delivered as soon as a node answers."
        case .notKept(let reason):
            "This seat's disk can't keep it, and nothing was sent: \(reason). Take it down on paper, and mend the disk."
        case .misconfigured(let reason): "The seat can't start: \(reason)."
        }
    }
}

/// What a seat remembers from one run to the next, best in a file: with it, it is not taken in by a node that slept
/// through a failover.
public struct SeatMemory: Hashable, Sendable {
    /// 32 hexadecimal digits.
    public var pair: String
    /// The highest epoch ever seen of that pair.
    public var epoch: UInt64

    public init(pair: String, epoch: UInt64) { (self.pair, self.epoch) = (pair, epoch) }
}

/// One way to a node. All ways of a seat are held open together.
public struct Link: Hashable, Sendable, CustomStringConvertible {
    public var node: NodeName
    /// Number of the route among the configured ones.
    public var route: Int

    public init(_ node: NodeName, route: Int) { (self.node, self.route) = (node, route) }
    public var description: String { "\(node)#\(route)" }
}
