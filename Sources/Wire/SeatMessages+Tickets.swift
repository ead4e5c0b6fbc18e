import Tickets

extension Ticket {
    package init(_ message: Twinline_Seat_V1_Ticket) throws(MalformedMessage) {
        self.init(
            id: try TicketID(message.ticket), state: try State(wire: message.state, field: "state"),
            openedAt: message.openedAt, channel: try Channel(wire: message.channel, field: "channel"),
            caller: message.caller, category: message.category, district: message.district,
            priority: try Priority(wire: message.priority, field: "priority"), confidential: message.confidential,
            text: message.text, deadline: message.hasDeadline ? message.deadline : nil, unit: message.unit,
            revision: try Int64(wire: message.revision, field: "revision"))
    }
}

extension Twinline_Seat_V1_Ticket {
    package init(_ ticket: Ticket) {
        self.init()
        self.ticket = ticket.id.bytes
        state = ticket.state.wire
        openedAt = ticket.openedAt
        channel = ticket.channel.wire
        caller = ticket.caller
        category = ticket.category
        district = ticket.district
        priority = ticket.priority.wire
        confidential = ticket.confidential
        text = ticket.text
        if let deadline = ticket.deadline { self.deadline = deadline }
        unit = ticket.unit
        revision = UInt64(bitPattern: ticket.revision)
    }
}

extension HistoryRow {
    package init(_ message: Twinline_Seat_V1_HistoryRow) throws(MalformedMessage) {
        self.init(
            ticket: try TicketID(message.ticket), revision: try Int64(wire: message.revision, field: "revision"),
            at: message.at, actor: message.actor, action: try Action(wire: message.action, field: "action"),
            state: try Ticket.State(wire: message.state, field: "state"), unit: message.unit, note: message.note)
    }
}

extension Twinline_Seat_V1_HistoryRow {
    package init(_ row: HistoryRow) {
        self.init()
        ticket = row.ticket.bytes
        revision = UInt64(bitPattern: row.revision)
        at = row.at
        actor = row.actor
        action = row.action.wire
        state = row.state.wire
        unit = row.unit
        note = row.note
    }
}
