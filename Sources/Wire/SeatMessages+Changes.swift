import Replication
import Tickets

extension ListFilter {
    package init(_ message: Twinline_Seat_V1_ListFilter) throws(MalformedMessage) {
        self.init(
            state: message.state == 0 ? nil : try Ticket.State(wire: message.state, field: "state"),
            unit: message.unit.isEmpty ? nil : message.unit, overdue: message.overdue)
    }
}

extension Twinline_Seat_V1_ListFilter {
    package init(_ filter: ListFilter) {
        self.init()
        state = filter.state?.wire ?? 0
        unit = filter.unit ?? ""
        overdue = filter.overdue
    }
}

extension ListMark {
    package init(_ message: Twinline_Seat_V1_ListMark) throws(MalformedMessage) {
        let position = Position(
            try Epoch(wire: message.epoch, field: "epoch"), try LSN(wire: message.lsn, field: "lsn"))
        self.init(
            position, changes: Int(message.changes), time: message.time, ticket: try TicketID(message.ticket))
    }

    package init(_ position: Position, changes: Int = 0, time: Int64 = 0, ticket: TicketID = .last) {
        self.init(
            epoch: position.epoch.value, lsn: position.lsn.value, changes: changes, time: time, ticket: ticket)
    }

    package var position: Position { Position(Epoch(epoch), LSN(lsn)) }
}

extension Twinline_Seat_V1_ListMark {
    package init(_ mark: ListMark) {
        self.init()
        (epoch, lsn) = (mark.epoch, mark.lsn)
        changes = UInt32(clamping: mark.changes)
        time = mark.time
        ticket = mark.ticket.bytes
    }
}

extension ListChange {
    init(_ message: Twinline_Seat_V1_ListChange) throws(MalformedMessage) {
        switch message.kind {
        case .entered where message.hasTicket:
            self = .entered(try Ticket(message.ticket), message.hasRow ? try HistoryRow(message.row) : nil)
        case .changed where message.hasRow: self = .changed(try HistoryRow(message.row))
        case .left where message.hasRow: self = .left(try HistoryRow(message.row))
        case .entered, .changed, .left, .unspecified, .UNRECOGNIZED: throw MalformedMessage(field: "kind")
        }
    }
}

extension Twinline_Seat_V1_ListChange {
    init(_ change: ListChange) {
        self.init()
        switch change {
        case .entered(let ticket, let row):
            kind = .entered
            self.ticket = Twinline_Seat_V1_Ticket(ticket)
            if let row { self.row = Twinline_Seat_V1_HistoryRow(row) }
        case .changed(let row): (kind, self.row) = (.changed, Twinline_Seat_V1_HistoryRow(row))
        case .left(let row): (kind, self.row) = (.left, Twinline_Seat_V1_HistoryRow(row))
        }
    }
}

extension ListChanges {
    init(_ message: Twinline_Seat_V1_ListChanges) throws(MalformedMessage) {
        guard message.hasMark else { throw MalformedMessage(field: "mark") }
        self.init(
            mark: try ListMark(message.mark), beginsAgain: message.beginAgain,
            changes: try message.changes.map { change throws(MalformedMessage) in try ListChange(change) })
    }
}

extension Twinline_Seat_V1_ListChanges {
    init(_ found: ListChanges) {
        self.init()
        changes = found.changes.map { Twinline_Seat_V1_ListChange($0) }
        mark = Twinline_Seat_V1_ListMark(found.mark)
        beginAgain = found.beginsAgain
    }
}
