import Replication

/// The seats that a node can see, and what they say of how they reach the other node: the grounds on which a standby
/// asks for the lead.
///
/// A seat is whoever has a certificate of its own, however many connections it holds: one seat counts once.
package struct SeatReach<Seat: Hashable & Sendable>: Sendable {
    package enum Change: Sendable {
        /// One more of its connections is here.
        case came
        /// One fewer; it had last said this on it.
        case left(wasStranded: Bool)
        /// On one of its connections it says, or no longer says, that it does not reach the other node.
        case said(isStranded: Bool)
    }

    private struct Connections {
        var count = 0
        var stranded = 0
        /// When the last one closed.
        var gone: Instant?
        /// A certificate that several programs share is stranded when they all are.
        var isStranded: Bool { count > 0 && stranded == count }
    }

    /// Nanoseconds for which a seat that has gone still counts among those that were here.
    private static var memory: UInt64 { 60_000_000_000 }
    private var seats: [Seat: Connections] = [:]
    package private(set) var here = 0
    package private(set) var stranded = 0
    /// Those that are here, and all others that were lately.
    package var recent: Int { seats.count }

    package init() {}

    package mutating func note(_ change: Change, of seat: Seat, at now: Instant) {
        var connections = seats[seat] ?? Connections()
        let before = connections
        switch change {
        case .came:
            connections.count += 1
            connections.gone = nil
        case .left(let wasStranded):
            connections.count -= 1
            if wasStranded { connections.stranded -= 1 }
            if connections.count == 0 { connections.gone = now }
        case .said(let isStranded): connections.stranded += isStranded ? 1 : -1
        }
        here += (connections.count > 0 ? 1 : 0) - (before.count > 0 ? 1 : 0)
        stranded += (connections.isStranded ? 1 : 0) - (before.isStranded ? 1 : 0)
        seats[seat] = connections
    }

    /// To be called every second or so.
    package mutating func forget(at now: Instant) {
        guard here < seats.count else { return }
        seats = seats.filter { _, connections in
            connections.gone.map { now.nanoseconds < $0.nanoseconds + Self.memory } ?? true
        }
    }
}
