import Seat
import Tickets

/// One thing that a seat of a drill asked for, and what it was told. All that a drill reports is computed from these;
/// in the order in which they were asked for they are a history of the pair.
struct SeatOperation: Equatable, Sendable {
    enum Call: Equatable, Sendable {
        /// A command; `detail` is the text of a note, which no other note has.
        case command(HistoryRow.Action, detail: String)
        case show
    }

    enum Outcome: Equatable, Sendable {
        case done(Ticket.State, revision: Int64)
        /// Nil: there is no such ticket.
        case shown(Ticket.State?, revision: Int64)
        case failed(SeatError)
    }

    var seat: Int
    var ticket: TicketID
    var call: Call
    /// Nanoseconds of the monotonic clock: before it was sent, and after the answer had come.
    var invoked, completed: UInt64
    var outcome: Outcome

    /// Of a command that was done: what is then to be found in the ticket's history, once.
    var acknowledged: HistoryKey? {
        guard case .command(let action, let detail) = call, case .done = outcome else { return nil }
        return HistoryKey(action: action, detail: detail)
    }

    var error: SeatError? { if case .failed(let error) = outcome { error } else { nil } }
}

/// What tells a row of a ticket's history from its others: of a note its text; all else happens once in a ticket's
/// life.
struct HistoryKey: Hashable, Sendable, CustomStringConvertible {
    var action: HistoryRow.Action
    var detail: String

    init(action: HistoryRow.Action, detail: String) {
        (self.action, self.detail) = (action, action == .note ? detail : "")
    }

    init(_ row: HistoryRow) { self.init(action: row.action, detail: row.note) }

    var description: String { detail.isEmpty ? "\(action)" : "\(action) '\(detail)'" }
}
