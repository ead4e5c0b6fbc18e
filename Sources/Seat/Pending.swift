import Replication
import Tickets
import Wire

extension SeatSession {
    /// What an answer is recognised by.
    enum Key: Hashable, Sendable {
        /// The number stands in for a name, which only the answer gives.
        case opening(UInt64)
        case request(RequestName)
        case read(UInt64)
    }

    /// A command that waits for a session: it has no name yet, and was never sent.
    struct Unnamed: Equatable, Sendable {
        /// Nil: the caller wants the name only.
        let body: SeatRequest.Body?
        let call: Call
        let deadline: Instant
        /// In the order in which they came, requests are sent, and sent again.
        let ordinal: UInt64
    }

    /// Something that has no answer yet.
    struct Pending: Equatable, Sendable {
        private(set) var message: ToNode
        /// Nil: nobody waits; the session needs it itself.
        let call: Call?
        let deadline: Instant
        let ordinal: UInt64
        var retries: Backoff
        /// How often it was sent.
        var copies = 0
        /// Copies that a full disk has turned away: these are gone for certain.
        var turnedAway = 0
        /// The connections where the newest copy and the extra one are under way.
        var on: Link?, extra: Link?
        var sentAt = Instant(nanoseconds: 0)
        /// When the connection is beaten if nothing was heard of it since. Nil: not any more.
        var probeAt: Instant?
        /// When it is late, and an extra copy due. Nil: not any more.
        var lateAt: Instant?
        /// It stands on the seat's disk under this name, and must not get another one here.
        var keepsName = false
        /// A node said "not now": not before then.
        var notBefore: Instant?

        init(_ message: ToNode, for call: Call?, by deadline: Instant, ordinal: UInt64, retries: Backoff) {
            (self.message, self.call, self.deadline) = (message, call, deadline)
            (self.ordinal, self.retries) = (ordinal, retries)
        }

        /// From now on every copy uses up the name instead of having something done under it.
        mutating func withdraw() {
            guard case .request(var request) = message else { return }
            request.body = .withdraw
            message = .request(request)
        }

        /// A standby's answer would not do.
        mutating func askPrimary() {
            guard case .read(var read) = message else { return }
            read.level = .latest
            message = .read(read)
        }

        /// What its caller is told when nothing more is awaited.
        func failure(_ key: Key) -> SeatError {
            guard case .request(let name) = key, copies > turnedAway else {
                return turnedAway > 0 ? .diskFull : .unreachable
            }
            return .unknown(name)
        }
    }
}
