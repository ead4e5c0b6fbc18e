/// What a seat asks to be done to a ticket.
public enum Command: Equatable, Sendable {
    case open(OpenTicket)
    /// To a responsible unit.
    case dispatch(TicketID, unit: String, note: String)
    /// The unit takes it.
    case accept(TicketID, note: String)
    /// The unit gives it back, with the reason.
    case `return`(TicketID, reason: String)
    case complete(TicketID, result: String)
    case note(TicketID, text: String)

    public var ticket: TicketID {
        switch self {
        case .open(let open): open.id
        case .dispatch(let id, _, _), .accept(let id, _), .return(let id, _), .complete(let id, _), .note(let id, _): id
        }
    }
}

public struct OpenTicket: Equatable, Sendable {
    public var id: TicketID
    public var openedAt: Int64
    public var channel: Ticket.Channel
    public var caller: String
    public var category: String
    public var district: String
    public var priority: Ticket.Priority
    public var confidential: Bool
    public var text: String
    public var deadline: Int64?

    public init(
        id: TicketID, openedAt: Int64, channel: Ticket.Channel = .phone, caller: String = "", category: String,
        district: String = "", priority: Ticket.Priority = .normal, confidential: Bool = false, text: String,
        deadline: Int64? = nil
    ) {
        self.id = id
        self.openedAt = openedAt
        self.channel = channel
        self.caller = caller
        self.category = category
        self.district = district
        self.priority = priority
        self.confidential = confidential
        self.text = text
        self.deadline = deadline
    }
}

/// What a seat asks to see.
public enum Query: Equatable, Sendable {
    case show(TicketID)
    /// Newest first. `state` and `unit` narrow it; `before` goes on from the last id of the page before.
    /// With `overdueAt`, only those not completed whose deadline is not after that moment.
    case list(state: Ticket.State?, unit: String?, before: TicketID?, limit: Int, overdueAt: Int64? = nil)
    case history(TicketID)
    /// Of any table; needs a certificate of the role service.
    case sql(SQLQuery)
    /// What has happened to a list since a mark. The answer comes once there is something, or after a while without.
    case changes(of: ListFilter, since: ListMark?)
}

/// What a query shows.
public enum View: Equatable, Sendable {
    /// Nil: there is no such ticket.
    case ticket(Ticket?)
    case tickets([Ticket])
    case history([HistoryRow])
    case rows(SQLRows)
    case changes(ListChanges)
}

/// What a command did: the ticket's state and number of history rows after it.
public struct Done: Equatable, Sendable {
    public var ticket: TicketID
    public var state: Ticket.State
    public var revision: Int64
    public init(ticket: TicketID, state: Ticket.State, revision: Int64) {
        self.ticket = ticket
        self.state = state
        self.revision = revision
    }
}

/// What became of a command: the same ever after, however often the request is sent.
public enum Answer: Equatable, Sendable {
    case done(Done)
    /// A transaction's statements, in their order.
    case executed([StatementResult])
    /// The schema's version after it.
    case schemaChanged(version: UInt32)
    case refused(Refusal)
}
