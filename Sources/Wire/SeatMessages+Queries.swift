import Replication
import Tickets

/// A read as it stands in a message.
package struct SeatRead: Equatable, Sendable {
    /// The seat's own, carried back with the answer.
    package var number: UInt64
    package var level: Level
    package var query: Query

    package enum Level: Equatable, Sendable {
        /// From the primary, and sees all that was answered before it was asked.
        case latest
        /// From any node that has applied at least this.
        case atLeast(Position)
        /// From a standby, with its age. With a limit, in milliseconds, from one that knows to be no older, or else
        /// from the primary.
        case standby(maxAge: UInt64? = nil)
    }

    package init(number: UInt64, level: Level, query: Query) {
        self.number = number
        self.level = level
        self.query = query
    }

    package init(_ message: Twinline_Seat_V1_ReadRequest) throws(MalformedMessage) {
        let level: Level
        switch message.level {
        case .latest: level = .latest
        case .atLeast:
            level = .atLeast(
                Position(
                    try Epoch(wire: message.atLeastEpoch, field: "at_least_epoch"),
                    try LSN(wire: message.atLeastLsn, field: "at_least_lsn")))
        case .standby: level = .standby(maxAge: message.maxAgeMs == 0 ? nil : UInt64(message.maxAgeMs))
        case .UNRECOGNIZED: throw MalformedMessage(field: "level")
        }
        self.init(number: message.number, level: level, query: try Query(message))
    }
}

extension Query {
    /// What a page holds when the seat doesn't say, and what it may ask for.
    private static let usualLimit = 100, highestLimit: UInt32 = 1000

    package init(_ request: Twinline_Seat_V1_ReadRequest) throws(MalformedMessage) {
        switch request.query {
        case .show(let message): self = .show(try TicketID(message.ticket))
        case .history(let message): self = .history(try TicketID(message.ticket))
        case .list(let message):
            guard message.limit <= Self.highestLimit else { throw MalformedMessage(field: "limit") }
            self = .list(
                state: message.state == 0 ? nil : try Ticket.State(wire: message.state, field: "state"),
                unit: message.unit.isEmpty ? nil : message.unit,
                before: message.before.isEmpty ? nil : try TicketID(message.before, field: "before"),
                limit: message.limit == 0 ? Self.usualLimit : Int(message.limit),
                overdueAt: message.hasOverdueAt ? message.overdueAt : nil)
        case .sql(let message): self = .sql(try SQLQuery(message))
        case .changes(let message):
            self = .changes(
                of: try ListFilter(message.filter), since: message.hasSince ? try ListMark(message.since) : nil)
        case nil: throw MalformedMessage(field: "query")
        }
    }
}

extension Twinline_Seat_V1_ReadRequest {
    package init(_ read: SeatRead) {
        self.init(read.query)
        number = read.number
        switch read.level {
        case .latest: level = .latest
        case .standby(let limit):
            level = .standby
            maxAgeMs = limit.map { UInt32(clamping: max($0, 1)) } ?? 0
        case .atLeast(let position):
            level = .atLeast
            atLeastEpoch = position.epoch.value
            atLeastLsn = position.lsn.value
        }
    }

    /// Without a number yet, of the level `latest`.
    package init(_ query: Query) {
        self.init()
        switch query {
        case .show(let id): show.ticket = id.bytes
        case .history(let id): history.ticket = id.bytes
        case .list(let state, let unit, let before, let limit, let overdueAt):
            list.state = state?.wire ?? 0
            list.unit = unit ?? ""
            if let before { list.before = before.bytes }
            list.limit = UInt32(clamping: limit)
            if let overdueAt { list.overdueAt = overdueAt }
        case .sql(let query): sql = Twinline_Seat_V1_SqlQuery(query)
        case .changes(let filter, let mark):
            changes.filter = Twinline_Seat_V1_ListFilter(filter)
            if let mark { changes.since = Twinline_Seat_V1_ListMark(mark) }
        }
    }
}

extension View {
    /// What a node's answer to this query shows.
    /// - Returns: nil when it shows nothing: refused, or not now.
    package init?(_ answer: Twinline_Seat_V1_ReadAnswer, to query: Query) throws(MalformedMessage) {
        switch (answer.outcome, query) {
        case (.tickets(let page), .show):
            guard page.tickets.count <= 1 else { throw MalformedMessage(field: "tickets") }
            self = .ticket(try page.tickets.first.map { message throws(MalformedMessage) in try Ticket(message) })
        case (.tickets(let page), .list):
            self = .tickets(try page.tickets.map { message throws(MalformedMessage) in try Ticket(message) })
        case (.history(let page), .history):
            self = .history(try page.rows.map { message throws(MalformedMessage) in try HistoryRow(message) })
        case (.rows(let rows), .sql):
            self = .rows(try SQLRows(rows, epoch: answer.positionEpoch, lsn: answer.positionLsn))
        case (.changes(let found), .changes): self = .changes(try ListChanges(found))
        case (.notNow, _), (.refused, _): return nil
        case (.tickets, _), (.history, _), (.rows, _), (.changes, _), (nil, _): throw MalformedMessage(field: "outcome")
        }
    }
}

extension Twinline_Seat_V1_ReadAnswer {
    package init(number: UInt64, at position: Position, _ view: View) {
        self.init()
        self.number = number
        positionEpoch = position.epoch.value
        positionLsn = position.lsn.value
        switch view {
        case .ticket(let ticket): tickets.tickets = ticket.map { [Twinline_Seat_V1_Ticket($0)] } ?? []
        case .tickets(let page): tickets.tickets = page.map { Twinline_Seat_V1_Ticket($0) }
        case .history(let rows): history.rows = rows.map { Twinline_Seat_V1_HistoryRow($0) }
        case .rows(let rows): self.rows = Twinline_Seat_V1_Rows(rows)
        case .changes(let found): changes = Twinline_Seat_V1_ListChanges(found)
        }
    }
}
