import Tickets

/// Runs commands on the tickets' tables, after the rules of `Tickets`. A refused command writes nothing.
final class TicketWriter {
    private let connection: Connection
    private let insertTicket, selectProgress, updateProgress, updateRevision, insertHistory: Statement

    init(_ connection: Connection) throws(StoreError) {
        self.connection = connection
        insertTicket = try Statement(
            connection,
            """
            INSERT INTO tickets (id, state, opened_at, channel, caller, category, district, priority, confidential,
                deadline, unit, revision, text)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
            ON CONFLICT (id) DO NOTHING
            """)
        selectProgress = try Statement(connection, "SELECT state, unit, revision FROM tickets WHERE id = ?1")
        updateProgress = try Statement(
            connection, "UPDATE tickets SET state = ?2, unit = ?3, revision = ?4 WHERE id = ?1")
        updateRevision = try Statement(connection, "UPDATE tickets SET revision = ?2 WHERE id = ?1")
        insertHistory = try Statement(
            connection,
            """
            INSERT INTO history (ticket, revision, at, actor, action, state, unit, note)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            """)
    }

    func run(_ command: Command, by actor: String, now: Int64) throws(StoreError) -> Answer {
        // Whether a ticket to be opened exists is seen by inserting it: that saves a search.
        var before: Ticket.Progress?
        if case .open = command {} else { before = try progress(of: command.ticket) }
        let change: Change
        do throws(Refusal) { change = try command.decided(on: before, by: actor, at: now) } catch {
            return .refused(error)
        }
        if case .open(let ticket) = command {
            guard try insert(ticket, change.progress) else { return .refused(.ticketExists(ticket.id)) }
        } else {
            try update(command.ticket, from: before, to: change.progress)
        }
        try insert(change.row)
        return .done(change.done)
    }

    private func progress(of id: TicketID) throws(StoreError) -> Ticket.Progress? {
        try selectProgress.bind(1, id)
        return try selectProgress.first { row throws(StoreError) in
            guard let state = Ticket.State(rawValue: row.integer(0)) else {
                throw .damaged(path: connection.path, message: "ticket \(id) has the state \(row.integer(0))")
            }
            return Ticket.Progress(state: state, unit: row.text(1), revision: row.integer(2))
        }
    }

    /// - Returns: false when there is such a ticket already.
    private func insert(_ ticket: OpenTicket, _ progress: Ticket.Progress) throws(StoreError) -> Bool {
        try insertTicket.bind(1, ticket.id)
        try insertTicket.bind(2, progress.state.rawValue)
        try insertTicket.bind(3, ticket.openedAt)
        try insertTicket.bind(4, ticket.channel.rawValue)
        try insertTicket.bind(5, ticket.caller)
        try insertTicket.bind(6, ticket.category)
        try insertTicket.bind(7, ticket.district)
        try insertTicket.bind(8, ticket.priority.rawValue)
        try insertTicket.bind(9, ticket.confidential ? 1 : 0 as Int64)
        try insertTicket.bind(10, ticket.deadline)
        try insertTicket.bind(11, progress.unit)
        try insertTicket.bind(12, progress.revision)
        try insertTicket.bind(13, ticket.text)
        try insertTicket.run()
        return connection.changes == 1
    }

    private func update(
        _ id: TicketID, from before: Ticket.Progress?, to after: Ticket.Progress
    ) throws(StoreError) {
        // A note changes nothing that is in an index.
        if let before, before.state == after.state, before.unit == after.unit {
            try updateRevision.bind(1, id)
            try updateRevision.bind(2, after.revision)
            return try updateRevision.run()
        }
        try updateProgress.bind(1, id)
        try updateProgress.bind(2, after.state.rawValue)
        try updateProgress.bind(3, after.unit)
        try updateProgress.bind(4, after.revision)
        try updateProgress.run()
    }

    private func insert(_ row: HistoryRow) throws(StoreError) {
        try insertHistory.bind(1, row.ticket)
        try insertHistory.bind(2, row.revision)
        try insertHistory.bind(3, row.at)
        try insertHistory.bind(4, row.actor)
        try insertHistory.bind(5, row.action.rawValue)
        try insertHistory.bind(6, row.state.rawValue)
        try insertHistory.bind(7, row.unit)
        try insertHistory.bind(8, row.note)
        try insertHistory.run()
    }
}
