import Planted
import Tickets

/// What a list that is followed shows. It was read at its mark or a little later: so some of the changes since the mark
/// are in it already, and come once more.
struct ShownTickets {
    /// The tickets on the list, each with the revision that was told last. Nil: not known, since the list was followed
    /// from a mark on.
    private var revisions: [TicketID: Int64]?

    mutating func begin(_ tickets: [Ticket]) {
        revisions = Dictionary(tickets.map { ($0.id, $0.revision) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether it is news; then it counts as told.
    mutating func isNew(_ change: ListChange) -> Bool {
        guard revisions != nil, !planted("showTwice") else { return true }
        let known = revisions?[change.ticket]
        switch change {
        case .entered(let ticket, let row):
            // Without a row nothing has happened to the ticket but that time has passed.
            if let known, row == nil || ticket.revision <= known { return false }
            revisions?[ticket.id] = ticket.revision
            return true
        case .changed(let row):
            // Of one that is not there: it left before the list was read.
            guard let known, row.revision > known else { return false }
            revisions?[row.ticket] = row.revision
            return true
        case .left(let row):
            guard let known, row.revision > known else { return false }
            revisions?[row.ticket] = nil
            return true
        }
    }
}
