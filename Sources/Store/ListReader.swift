import Replication
import Tickets

/// What a `ListFeed` has to look up beside the log, in snapshots of its own connection.
package final class ListReader {
    private let reading: ReadConnection
    private let selectTicket, selectLate: Statement

    package init(at path: String) throws(StoreError) {
        reading = try ReadConnection(at: path)
        selectTicket = try Statement(reading.connection, "SELECT \(TicketRow.columns) FROM tickets WHERE id = ?1")
        selectLate = try Statement(
            reading.connection,
            """
            SELECT \(TicketRow.columns) FROM tickets INDEXED BY tickets_by_deadline
            WHERE (deadline, id) > (?1, ?2) AND deadline <= ?3 AND state <> \(Ticket.State.completed.rawValue)
            ORDER BY deadline, id
            """)
    }

    /// In one snapshot.
    /// - Parameter look: is told what the database holds.
    package func snapshot<Result>(_ look: (Position) throws(StoreError) -> Result) throws(StoreError) -> Result {
        try reading.snapshot(look)
    }

    /// Inside `snapshot`.
    package func ticket(_ id: TicketID) throws(StoreError) -> Ticket? {
        try selectTicket.bind(1, id)
        return try selectTicket.first { row throws(StoreError) in try reading.sound(row.ticket()) }
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
            guard try take(reading.sound(selectLate.ticket())) else { return selectLate.reset() }
        }
    }
}
