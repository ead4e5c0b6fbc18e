import Replication
import Tickets
import Wire

// What the seat keeps on its own disk, name and all, before it is sent.
extension SeatSession {
    /// A name, for something that is sent later under it. Answered once there is a session.
    package mutating func reserve(for call: Call, by deadline: Instant, at now: Instant) -> [Directive] {
        if let name = nameAtOnce() { return [.deliver(.named(name), to: call)] }
        unnamed.append(Unnamed(body: nil, call: call, deadline: deadline, ordinal: ordinal()))
        return openSession(at: now)
    }

    /// Nil: there is no session yet.
    package mutating func nameAtOnce() -> RequestName? { session == nil ? nil : takeName() }

    /// Nothing was sent under this name, and nothing will be.
    package mutating func giveUp(_ name: RequestName) { resolve(name) }

    /// - Parameter isNew: no copy of it was ever sent. Otherwise an earlier run may have sent some.
    package mutating func perform(
        _ body: SeatRequest.Body, kept name: RequestName, isNew: Bool, for call: Call, by deadline: Instant,
        at now: Instant
    ) -> [Directive] {
        guard isNew else { return perform(body, again: name, for: call, by: deadline, at: now) }
        return enterKept(body, name, for: call, by: deadline, at: now)
    }
}
