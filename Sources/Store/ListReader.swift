import Replication
import Tickets

/// What a `ListFeed` has to look up beside the log, in snapshots of its own connection.
package final class ListReader {
    private let connection: Connection
    private let begin, end, selectTicket, selectLate: Statement
    private let position: AppliedPosition

    package init(at path: String) throws(StoreError) {
        let connection = try Connection.open(path, readOnly: true)
        self.connection = connection
        begin = try Statement(connection, "BEGIN")
        end = try Statement(connection, "COMMIT")
        position = try AppliedPosition(connection)
        selectTicket = try Statement(connection, "SELECT \(TicketRow.columns) FROM tickets WHERE id = ?1")
        selectLate = try Statement(
            connection,
            """
            SELECT \(TicketRow.columns) FROM tickets INDEXED BY tickets_by_deadline
            WHERE (deadline, id) > (?1, ?2) AND deadline <= ?3 AND state <> \(Ticket.State.completed.rawValue)
            ORDER BY deadline, id
            """)
    }

    /// In one snapshot.
    /// - Parameter look: is told what the database holds.
    package func snapshot<Result>(_ look: (Position) throws(StoreError) -> Result) throws(StoreError) -> Result {
        try connection.access { _ throws(StoreError) in
            try begin.run()
            do throws(StoreError) {
                let result = try look(try position.read())
                try end.run()
                return result
            } catch {
                if connection.isInTransaction { try? end.run() }
                throw error
            }
        }
    }

    /// Inside `snapshot`.
    package func ticket(_ id: TicketID) throws(StoreError) -> Ticket? {
        try selectTicket.bind(1, id)
        return try selectTicket.first { row throws(StoreError) in try sound(row.ticket()) }
    }

    /// Tickets that have become overdue, in the order of their deadlines. Inside `snapshot`.
    /// - Parameters:
    ///   - mark: those up to its `time` and `ticket` are left out.
    ///   - take: returns false when it wants no more.
    package func late(
        after mark: ListMark, through time: Int64, _ take: (Ticket) -> Bool
    ) throws(StoreError) {
        try selectLate.bind(1, mark.time)
        try selectLate.bind(2, mark.ticket)
        try selectLate.bind(3, time)
        while try selectLate.step() {
            guard try take(sound(selectLate.ticket())) else { return selectLate.reset() }
        }
    }

    private func sound(_ ticket: Ticket?) throws(StoreError) -> Ticket {
        guard let ticket else {
            throw .damaged(path: connection.path, message: "a row holds a number without a meaning")
        }
        return ticket
    }
}
