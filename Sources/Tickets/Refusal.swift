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
    /// A statement, counted from 1, did not change or give as many rows as it was to.
    case guardNotMet(statement: Int, expected: Int64, found: Int64)
    /// A statement, counted from 1, can't be run, for this reason.
    case statementFailed(statement: Int, reason: String)
    /// Bytes.
    case resultTooLarge(statement: Int, limit: Int)
    /// Bytes.
    case changesTooLarge(statement: Int, limit: Int)
    case tookTooLong(statement: Int, milliseconds: Int)
    /// The seat has withdrawn the request before it happened: no copy of it ever will.
    case withdrawn
    /// Never stored: SQL is for certificates of the role service.
    case needsService(actor: String)
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
        case .guardNotMet(let statement, let expected, let found):
            "Statement \(statement) changed or gave \(found) rows, not \(expected): nothing was changed; look again."
        case .statementFailed(let statement, let reason):
            "Statement \(statement) can't be run: \(reason). Nothing was changed; correct it."
        case .resultTooLarge(let statement, let limit):
            "Statement \(statement) gives more than \(limit) bytes: ask for fewer rows or columns at a time."
        case .changesTooLarge(let statement, let limit):
            "With statement \(statement) this changes more than \(limit) bytes: nothing was changed; do it in parts."
        case .tookTooLong(let statement, let milliseconds):
            "Statement \(statement) took longer than \(milliseconds) ms: nothing was changed; do it in parts."
        case .withdrawn: "It was withdrawn before it happened, and nothing was changed: send it anew if it is wanted."
        case .needsService(let actor): "\(actor) may not use SQL: use a certificate of the role service."
        case .unknownSession:
            "The session is not known any more: open a new one, and look whether the request was done before."
        case .windowExpired: "The answer was acknowledged before and is forgotten: look at the ticket."
        case .malformed(let field): "The field \(field) is malformed: the seat program must be corrected."
        }
    }
}
