import Histories
import Seat
import Tickets

/// One thing that a seat of a drill asked for, and what it was told: what a drill says of each fault is computed from
/// these.
struct SeatOperation: Equatable, Sendable {
    var seat: Int
    /// The text of a note no other note has.
    var call: Call
    /// Nanoseconds of the monotonic clock: before it was sent, and after the answer had come.
    var invoked, completed: UInt64
    var outcome: Outcome
    /// Why it was not done, or not answered.
    var error: SeatError?

    /// Of a command that was done: what is then to be found in the ticket's history, once.
    var acknowledged: HistoryKey? {
        guard case .command(_, let step) = call, case .ok = outcome else { return nil }
        return HistoryKey(action: step.action, detail: step.detail)
    }

    var isRead: Bool { if case (.show, .ok) = (call, outcome) { true } else { false } }
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
