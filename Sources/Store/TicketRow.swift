import Tickets

/// Tickets and history rows as the SELECTs of `DatabaseReader` give them.
enum TicketRow {
    static let columns = """
        id, state, opened_at, channel, caller, category, district, priority, confidential, deadline, unit, revision,
        text
        """
    static let historyColumns = "ticket, revision, at, actor, action, state, unit, note"
}

extension Statement {
    /// Nil when a number stands for nothing: only a damaged database has such.
    func ticket() -> Ticket? {
        guard let state = Ticket.State(rawValue: integer(1)), let channel = Ticket.Channel(rawValue: integer(3)),
            let priority = Ticket.Priority(rawValue: integer(7))
        else { return nil }
        return Ticket(
            id: ticketID(0), state: state, openedAt: integer(2), channel: channel, caller: text(4), category: text(5),
            district: text(6), priority: priority, confidential: integer(8) != 0, text: text(12),
            deadline: optionalInteger(9), unit: text(10), revision: integer(11))
    }

    func historyRow() -> HistoryRow? {
        guard let action = HistoryRow.Action(rawValue: integer(4)), let state = Ticket.State(rawValue: integer(5))
        else { return nil }
        return HistoryRow(
            ticket: ticketID(0), revision: integer(1), at: integer(2), actor: text(3), action: action, state: state,
            unit: text(6), note: text(7))
    }
}
