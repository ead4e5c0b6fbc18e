import CSQLiteSession
import Replication
import Tickets

/// Reads on a connection of its own, which can't write: one for each reader thread. It sees what is committed, and
/// waits for nobody.
package final class DatabaseReader {
    private let reading: ReadConnection
    private let selectTicket, selectHistory: Statement
    /// By what narrows the list: nothing, the state, the unit, both.
    private let selectAny, selectState, selectUnit, selectUnitAndState, selectOverdue: Statement

    /// How many bytes of text a page of a list holds before it ends, so that an answer fits its frame.
    private static let pageBytes = 4 << 20
    /// Above every id: a list without a begin starts here.
    private static let aboveAll = [UInt8](repeating: 0xff, count: 17)

    package init(at path: String) throws(StoreError) {
        reading = try ReadConnection(at: path)
        let connection = reading.connection
        func select(_ condition: String, _ columns: String = TicketRow.columns) throws(StoreError) -> Statement {
            try Statement(connection, "SELECT \(columns) FROM \(condition)")
        }
        let page = "id < ?1 ORDER BY id DESC LIMIT ?2"
        selectTicket = try select("tickets WHERE id = ?1")
        selectHistory = try select("history WHERE ticket = ?1 ORDER BY revision", TicketRow.historyColumns)
        selectAny = try select("tickets WHERE \(page)")
        selectState = try select("tickets INDEXED BY tickets_by_state WHERE state = ?3 AND \(page)")
        selectUnit = try select("tickets INDEXED BY tickets_by_unit WHERE unit = ?4 AND unit <> '' AND \(page)")
        selectUnitAndState = try select(
            "tickets INDEXED BY tickets_by_unit_and_state WHERE unit = ?4 AND unit <> '' AND state = ?3 AND \(page)")
        selectOverdue = try select(
            """
            tickets INDEXED BY tickets_by_deadline WHERE deadline <= ?3 AND state <> \(Ticket.State.completed.rawValue)
            AND (?4 IS NULL OR state = ?4) AND (?5 IS NULL OR unit = ?5) AND \(page)
            """)
    }

    /// So many bytes of text are read for several answers together: what else waits, waits in its queries.
    private static let readBytes = 16 << 20

    /// Answers queries from one snapshot, and says which: they see the database exactly as it was at this position.
    /// - Returns: at least one view; fewer than queries if they are large. The rest is to be asked for again.
    package func read(_ queries: [Query]) throws(StoreError) -> (Position, [View]) {
        try reading.snapshot { position throws(StoreError) in
            var views: [View] = []
            views.reserveCapacity(queries.count)
            var bytes = 0
            for query in queries where bytes < Self.readBytes {
                let view = try view(query)
                bytes += view.textBytes
                views.append(view)
            }
            return (position, views)
        }
    }

    private func view(_ query: Query) throws(StoreError) -> View {
        switch query {
        case .show(let id):
            try selectTicket.bind(1, id)
            return .ticket(try selectTicket.first { row throws(StoreError) in try reading.sound(row.ticket()) })
        case .history(let id): return .history(try history(id))
        case .list(let state, let unit, let before, let limit, let overdueAt):
            let statement: Statement
            if let overdueAt {
                statement = try overdue(at: overdueAt, state, unit)
            } else {
                statement = try list(state, unit)
            }
            if let before { try statement.bind(1, before) } else { try statement.bind(1, blob: Self.aboveAll) }
            try statement.bind(2, Int64(limit))
            return .tickets(try tickets(statement))
        case .sql: throw .sql(code: SQLITE_MISUSE, message: "SQL is for a QueryReader")
        case .changes: throw .sql(code: SQLITE_MISUSE, message: "changes are for a ListFeed")
        }
    }

    private func list(_ state: Ticket.State?, _ unit: String?) throws(StoreError) -> Statement {
        switch (state, unit) {
        case (nil, nil): return selectAny
        case (let state?, nil):
            try selectState.bind(3, state.rawValue)
            return selectState
        case (nil, let unit?):
            try selectUnit.bind(4, unit)
            return selectUnit
        case (let state?, let unit?):
            try selectUnitAndState.bind(3, state.rawValue)
            try selectUnitAndState.bind(4, unit)
            return selectUnitAndState
        }
    }

    private func overdue(
        at time: Int64, _ state: Ticket.State?, _ unit: String?
    ) throws(StoreError) -> Statement {
        try selectOverdue.bind(3, time)
        try selectOverdue.bind(4, state?.rawValue)
        if let unit { try selectOverdue.bind(5, unit) } else { try selectOverdue.bindNull(5) }
        return selectOverdue
    }

    /// A page of a list ends early once it holds enough text; its last ticket says where to go on.
    private func tickets(_ statement: Statement) throws(StoreError) -> [Ticket] {
        var tickets: [Ticket] = []
        var bytes = 0
        while try statement.step() {
            let ticket = try reading.sound(statement.ticket())
            tickets.append(ticket)
            bytes += ticket.text.utf8.count
            if bytes >= Self.pageBytes {
                statement.reset()
                break
            }
        }
        return tickets
    }

    private func history(_ id: TicketID) throws(StoreError) -> [HistoryRow] {
        try selectHistory.bind(1, id)
        var rows: [HistoryRow] = []
        while try selectHistory.step() { rows.append(try reading.sound(selectHistory.historyRow())) }
        return rows
    }
}

extension View {
    /// What it weighs in memory, roughly.
    fileprivate var textBytes: Int {
        switch self {
        case .ticket(let ticket): ticket?.text.utf8.count ?? 0
        case .tickets(let tickets): tickets.reduce(0) { $0 + $1.text.utf8.count + 200 }
        case .history(let rows): rows.reduce(0) { $0 + $1.note.utf8.count + 100 }
        // A QueryReader bounds its own.
        case .rows: 0
        // So does a ListFeed.
        case .changes: 0
        }
    }
}
