import Planted
import Replication

/// How old what a standby shows can be, by its own clock alone.
///
/// Each of its acknowledgements carries its moment, which the primary sends back with the next entries or heartbeat,
/// and with them how far it had committed by then. An answer is only given for what is committed: so once the standby
/// has applied that much, it shows all that was answered before that moment. Only the rate of its clock counts, and
/// nothing but what it shows of its age rests on it.
struct Freshness: Equatable {
    private var session = UniqueNumber.none
    /// Of the primary: the newest stamp that it was sent, to be sent back.
    private var echo: UInt64 = 0
    /// The moment of an echo, and what has to be applied until it counts.
    private var awaited: Awaited?
    private struct Awaited: Equatable { var moment: UInt64, committed: LSN }
    /// All that was answered before it is applied here.
    private var level: UInt64?

    /// What was learned in an earlier session counts no more: another process may have been at either end.
    mutating func enter(_ session: UniqueNumber) {
        if session != self.session { self = Freshness(session: session) }
    }

    init(session: UniqueNumber = .none) { self.session = session }

    mutating func stamped(_ stamp: UInt64) { echo = max(echo, stamp) }
    func echo(in session: UniqueNumber) -> UInt64 { session == self.session ? echo : 0 }

    /// - Parameter moment: 0: none was sent back.
    mutating func echoed(_ moment: UInt64, committed: LSN, applied: LSN) {
        guard moment > level ?? 0 else { return }
        // The one before is waited for, or none would ever count while it is busy.
        if awaited == nil || planted("awaitTheNewest") { awaited = Awaited(moment: moment, committed: committed) }
        self.applied(through: applied)
    }

    mutating func applied(through lsn: LSN) {
        guard let awaited, awaited.committed <= lsn || planted("youngBeforeApplied") else { return }
        level = awaited.moment
        self.awaited = nil
    }

    /// Nanoseconds; nil while nothing is known.
    func age(at now: Instant, in session: UniqueNumber) -> UInt64? {
        guard session == self.session else { return nil }
        // A clock that has gone back knows nothing until the next echo.
        guard let level, level <= now.nanoseconds else { return nil }
        return now.nanoseconds - level
    }
}
