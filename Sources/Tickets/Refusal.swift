/// Why a command was not and will not be done. An answer like any other: stored with the request, the same ever after.
public enum Refusal: Error, Equatable, Sendable {
    case noSuchTicket(TicketID)
    case ticketExists(TicketID)
    /// The ticket's state does not allow it.
    case notInState(TicketID, state: Ticket.State, action: HistoryRow.Action)
    case textTooLong(field: String, bytes: Int, limit: Int)
    case missing(field: String)
    /// The name in the certificate may not do this.
    case notAllowed(actor: String, action: HistoryRow.Action)
    /// Never stored: the session is not known (any more). This copy was not run; an older one may have been.
    case unknownSession
    /// Never stored: the seat said before that it has the answers to this sequence.
    case windowExpired
    /// Never stored: the message itself is wrong, at this field.
    case malformed(field: String)
}

extension Refusal: CustomStringConvertible {
    /// For people: what is wrong, then what to do.
    public var description: String {
        switch self {
        case .noSuchTicket(let id): "There is no ticket \(id): check the number."
        case .ticketExists(let id): "Ticket \(id) exists already: show it before opening another."
        case .notInState(let id, let state, let action):
            "Ticket \(id) is \(state), which does not allow \"\(action)\": show it to see who has it."
        case .textTooLong(let field, let bytes, let limit):
            "The field \(field) has \(bytes) bytes, but may have \(limit): shorten it."
        case .missing(let field): "The field \(field) is empty: fill it in."
        case .notAllowed(let actor, let action): "\(actor) may not \"\(action)\": use a certificate that may."
        case .unknownSession:
            "The session is not known any more: open a new one, and look whether the request was done before."
        case .windowExpired: "The answer was acknowledged before and is forgotten: look at the ticket."
        case .malformed(let field): "The field \(field) is malformed: the seat program must be corrected."
        }
    }
}
