/// A citizen's matter: what was asked, who has it, how far it is.
public struct Ticket: Equatable, Sendable {
    public var id: TicketID
    public var state: State
    /// Milliseconds since 1970 (UTC): when the call was taken, as the seat says.
    public var openedAt: Int64
    public var channel: Channel
    /// Empty when not given.
    public var caller: String
    public var category: String
    /// Empty when not given.
    public var district: String
    public var priority: Priority
    public var confidential: Bool
    public var text: String
    /// Milliseconds since 1970 (UTC), stored as given, even before `openedAt`.
    public var deadline: Int64?
    /// The responsible unit; empty while nobody has it.
    public var unit: String
    /// Number of rows of the ticket's history.
    public var revision: Int64

    public init(
        id: TicketID, state: State, openedAt: Int64, channel: Channel, caller: String, category: String,
        district: String, priority: Priority, confidential: Bool, text: String, deadline: Int64?, unit: String,
        revision: Int64
    ) {
        self.id = id
        self.state = state
        self.openedAt = openedAt
        self.channel = channel
        self.caller = caller
        self.category = category
        self.district = district
        self.priority = priority
        self.confidential = confidential
        self.text = text
        self.deadline = deadline
        self.unit = unit
        self.revision = revision
    }

    /// How far a ticket is. Raw values are stored and sent: never renumber.
    public enum State: Int64, Sendable, CaseIterable {
        case open = 1, dispatched = 2, accepted = 3, returned = 4, completed = 5
    }

    public enum Channel: Int64, Sendable, CaseIterable {
        case phone = 1, web = 2, app = 3, message = 4, staff = 5, other = 6
    }

    public enum Priority: Int64, Sendable, CaseIterable {
        case normal = 1, urgent = 2, emergency = 3
    }
}

/// 16 bytes in time order, made by the seat before it sends: 48 bits of milliseconds since 1970, then 80 random bits
/// (the layout of a ULID).
public struct TicketID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var high, low: UInt64
    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    public init(milliseconds: Int64, random: (UInt16, UInt64)) {
        high = UInt64(truncatingIfNeeded: milliseconds) << 16 | UInt64(random.0)
        low = random.1
    }

    public static func < (left: TicketID, right: TicketID) -> Bool { (left.high, left.low) < (right.high, right.low) }

    /// 32 lower-case hexadecimal digits.
    public var description: String { Self.hex(high) + Self.hex(low) }

    public init?(_ text: String) {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    private static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// One row of a ticket's history: every change is one.
public struct HistoryRow: Equatable, Sendable {
    public var ticket: TicketID
    /// From 1, without gaps.
    public var revision: Int64
    /// Milliseconds since 1970 (UTC) by the primary's clock.
    public var at: Int64
    /// Who did it: the name in the certificate, such as "seat/017".
    public var actor: String
    public var action: Action
    /// The ticket's state after it.
    public var state: Ticket.State
    public var unit: String
    public var note: String

    public init(
        ticket: TicketID, revision: Int64, at: Int64, actor: String, action: Action, state: Ticket.State,
        unit: String, note: String
    ) {
        self.ticket = ticket
        self.revision = revision
        self.at = at
        self.actor = actor
        self.action = action
        self.state = state
        self.unit = unit
        self.note = note
    }

    public enum Action: Int64, Sendable, CaseIterable {
        case open = 1, dispatch = 2, accept = 3, `return` = 4, complete = 5, note = 6
    }
}
