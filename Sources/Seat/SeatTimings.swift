/// How fast a seat notices and retries; nothing about what is true hangs on these. Milliseconds, unless said otherwise.
package struct SeatTimings: Equatable, Sendable {
    /// Between beats while requests are under way. Two missed ones end a connection, so a silent node costs at most
    /// three quarters of a second, if the other node has not said before that it leads now.
    package var busyBeat: UInt64 = 250
    /// Between beats while nothing is under way: a thousand idle seats then cost a node 2,000 small messages a second.
    package var idleBeat: UInt64 = 1000
    package var missedBeats = 2
    /// From a connection to the node's welcome; twice as long each time that it did not come, so that a crowd which a
    /// node can't serve at once is served in the end.
    package var welcomeWithin: UInt64 = 2000, welcomeWithinAtMost: UInt64 = 16_000

    /// A request is late after this, or when 99 in 100 have had their answers if that is longer: the time a node's disk
    /// may stutter without a second copy of everything.
    package var lateAfter: UInt64 = 20
    /// A second copy is paid for by this many requests that needed none: 5 % more load at most.
    package var requestsPerExtraCopy = 20
    /// But one in this time is always free.
    package var oneExtraCopyEach: UInt64 = 60_000

    /// Between two attempts while a node says "not now": from, to.
    package var retryFrom: UInt64 = 2, retryTo: UInt64 = 50
    /// Between attempts to connect where nobody listens. Short, so that a node is found fast that starts again …
    package var dialling: ClosedRange<UInt64> = 5...250
    /// … but the less depends on it the longer: a thousand seats that look for a dead node would keep the other one
    /// from taking over. While there is another connection, and while there is one to the primary:
    package var diallingBesides: ClosedRange<UInt64> = 100...250
    package var diallingWithLeader: ClosedRange<UInt64> = 250...2000
    /// At least, in microseconds for each connection that a node has: twice what a handshake costs both sides, and some
    /// times what an attempt costs where nobody listens.
    package var diallingPerConnection: UInt64 = 6000, diallingBesidesPerConnection: UInt64 = 1000
    /// Before dialling again after a peer turned out to be the wrong one, or turned this seat away: a person must act.
    package var dialAfterRejection: UInt64 = 2000
    /// A connection that lasted this long was good: the next attempt is made at once, but in a crowd.
    package var goodAfter: UInt64 = 1000

    /// Requests without an answer that a session keeps open for being asked again; the oldest is given up first.
    package var window = 1024

    package init() {}
}
