import Replication
import Wire

/// How promptly a node's event loop works: the worst of the last minute or so. Nothing on it may wait for a disk, for
/// SQL or for a long message, and a number that shows it is worth more than the rule.
struct Delays {
    private var heartbeat = RecentMaximum()
    private var confirmation = RecentMaximum()
    private let interval: UInt64
    private var beatAt: Instant?
    private var round: (number: UInt64, sentAt: Instant)?

    /// - Parameter heartbeat: the milliseconds between two.
    init(heartbeat: UInt64) { interval = heartbeat * 1_000_000 }

    /// How late a heartbeat left, in nanoseconds.
    mutating func slowestHeartbeat(at now: Instant) -> UInt64 { heartbeat.value(at: now) }
    /// How long the standby took to confirm a round of reads, journeys included (rule R9).
    mutating func slowestConfirmation(at now: Instant) -> UInt64 { confirmation.value(at: now) }

    mutating func beat(at now: Instant) {
        if let beatAt {
            let due = beatAt.nanoseconds + interval
            heartbeat.record(now.nanoseconds > due ? now.nanoseconds - due : 0, at: now)
        }
        beatAt = now
    }

    mutating func sent(_ body: Message.Body, at now: Instant) {
        // A round that is sent again is still the same one.
        guard case .confirm(let number) = body, number != round?.number else { return }
        round = (number, now)
    }

    mutating func received(_ body: Message.Body, at now: Instant) {
        guard case .confirmed(let number) = body, let sent = round, sent.number == number else { return }
        confirmation.record(now.nanoseconds - sent.sentAt.nanoseconds, at: now)
    }
}

/// The highest of the values of the last half to whole minute.
struct RecentMaximum {
    private static let span: UInt64 = 30_000_000_000
    private var current: UInt64 = 0
    private var previous: UInt64 = 0
    private var since: UInt64 = 0

    mutating func record(_ value: UInt64, at now: Instant) {
        turn(at: now)
        current = max(current, value)
    }

    mutating func value(at now: Instant) -> UInt64 {
        turn(at: now)
        return max(current, previous)
    }

    private mutating func turn(at now: Instant) {
        guard now.nanoseconds >= since + Self.span else { return }
        previous = now.nanoseconds < since + 2 * Self.span ? current : 0
        (current, since) = (0, now.nanoseconds)
    }
}
