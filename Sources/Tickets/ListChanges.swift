/// Which tickets a list holds that somebody follows: those for which all of it is so.
public struct ListFilter: Equatable, Sendable {
    /// Nil: any.
    public var state: Ticket.State?
    /// Nil: any.
    public var unit: String?
    /// Not completed, and their deadline has passed.
    public var overdue: Bool

    public init(state: Ticket.State? = nil, unit: String? = nil, overdue: Bool = false) {
        (self.state, self.unit, self.overdue) = (state, unit, overdue)
    }

    /// - Parameter isLate: whether the ticket's deadline has passed. It is asked only where it counts.
    public func holds<Failure>(
        _ state: Ticket.State, _ unit: String, isLate: () throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        guard self.state == nil || self.state == state, self.unit == nil || self.unit == unit else { return false }
        guard overdue else { return true }
        return state == .completed ? false : try isLate()
    }
}

/// How far a list was followed: what to go on from, at either node, also after the program that follows was started
/// anew.
public struct ListMark: Equatable, Sendable {
    /// Everything up to this entry was seen …
    public var epoch: UInt64, lsn: UInt64
    /// … and so many changes of tickets in the one after it.
    public var changes: Int
    /// With `overdue`: the tickets whose deadlines are up to here count as late. Milliseconds since 1970 (UTC), and, of
    /// those with this very deadline, the tickets up to this one.
    public var time: Int64
    public var ticket: TicketID

    public init(
        epoch: UInt64, lsn: UInt64, changes: Int = 0, time: Int64 = 0, ticket: TicketID = .last
    ) {
        (self.epoch, self.lsn, self.changes, self.time, self.ticket) = (epoch, lsn, changes, time, ticket)
    }
}

/// What became of a list by one change of a ticket, or because time has passed.
public enum ListChange: Equatable, Sendable {
    /// It is on the list now, and looks like this. Without a row it is there because its deadline has passed.
    case entered(Ticket, HistoryRow?)
    /// It stays on the list.
    case changed(HistoryRow)
    /// It no longer is on the list.
    case left(HistoryRow)

    public var ticket: TicketID {
        switch self {
        case .entered(let ticket, _): ticket.id
        case .changed(let row), .left(let row): row.ticket
        }
    }

    /// The number of rows of the ticket's history after it.
    public var revision: Int64 {
        switch self {
        case .entered(let ticket, _): ticket.revision
        case .changed(let row), .left(let row): row.revision
        }
    }
}

/// What happened to a list since a mark, in order, each change once.
public struct ListChanges: Equatable, Sendable {
    /// From here it goes on.
    public var mark: ListMark
    /// Nothing is known of what happened since the mark that was asked for, or none was: the list has to be read as it
    /// is at `mark`, or later. What it shows beyond that comes again as changes.
    public var beginsAgain: Bool
    public var changes: [ListChange]

    public init(mark: ListMark, beginsAgain: Bool = false, changes: [ListChange] = []) {
        (self.mark, self.beginsAgain, self.changes) = (mark, beginsAgain, changes)
    }
}

extension TicketID {
    /// Above every other.
    public static var last: TicketID { TicketID(high: .max, low: .max) }
}

extension Query {
    /// It is not answered from what there is, but from what happens.
    public var isChanges: Bool { if case .changes = self { true } else { false } }
}
