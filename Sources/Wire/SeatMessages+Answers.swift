import FoundationEssentials
import Tickets

extension Done {
    package init(_ message: Twinline_Seat_V1_Done) throws(MalformedMessage) {
        self.init(
            ticket: try TicketID(message.ticket), state: try Ticket.State(wire: message.state, field: "state"),
            revision: try Int64(wire: message.revision, field: "revision"))
    }
}

extension Twinline_Seat_V1_Done {
    package init(_ done: Done) {
        self.init()
        ticket = done.ticket.bytes
        state = done.state.wire
        revision = UInt64(bitPattern: done.revision)
    }
}

extension Refusal {
    package init(_ message: Twinline_Seat_V1_Refusal) throws(MalformedMessage) {
        switch message.reason {
        case .noSuchTicket: self = .noSuchTicket(try TicketID(message.ticket))
        case .ticketExists: self = .ticketExists(try TicketID(message.ticket))
        case .notInState:
            self = .notInState(
                try TicketID(message.ticket), state: try Ticket.State(wire: message.state, field: "state"),
                action: try HistoryRow.Action(wire: message.action, field: "action"))
        case .textTooLong:
            self = .textTooLong(
                field: message.field, bytes: Int(clamping: message.bytes), limit: Int(clamping: message.limit))
        case .missing: self = .missing(field: message.field)
        case .notAllowed:
            self = .notAllowed(
                actor: message.actor, action: try HistoryRow.Action(wire: message.action, field: "action"))
        case .withdrawn: self = .withdrawn
        case .unknownSession: self = .unknownSession
        case .windowExpired: self = .windowExpired
        case .malformed: self = .malformed(field: message.field)
        case .guardNotMet, .statementFailed, .resultTooLarge, .changesTooLarge, .tookTooLong, .needsService:
            self = try .ofSQL(message)
        case .unspecified, .UNRECOGNIZED: throw MalformedMessage(field: "reason")
        }
    }
}

extension Refusal {
    private static func ofSQL(_ message: Twinline_Seat_V1_Refusal) throws(MalformedMessage) -> Refusal {
        let statement = Int(message.statement), limit = Int(clamping: message.limit)
        switch message.reason {
        case .guardNotMet:
            return .guardNotMet(
                statement: statement, expected: try Int64(wire: message.expected, field: "expected"),
                found: try Int64(wire: message.found, field: "found"))
        case .statementFailed: return .statementFailed(statement: statement, reason: message.field)
        case .resultTooLarge: return .resultTooLarge(statement: statement, limit: limit)
        case .changesTooLarge: return .changesTooLarge(statement: statement, limit: limit)
        case .tookTooLong: return .tookTooLong(statement: statement, milliseconds: limit)
        case .needsService: return .needsService(actor: message.actor)
        default: throw MalformedMessage(field: "reason")
        }
    }
}

extension Twinline_Seat_V1_Refusal {
    package init(_ refusal: Refusal) {
        self.init()
        text = refusal.description
        switch refusal {
        case .noSuchTicket(let id): (reason, ticket) = (.noSuchTicket, id.bytes)
        case .ticketExists(let id): (reason, ticket) = (.ticketExists, id.bytes)
        case .notInState(let id, let state, let action):
            (reason, ticket, self.state, self.action) = (.notInState, id.bytes, state.wire, action.wire)
        case .textTooLong(let field, let bytes, let limit):
            (reason, self.field) = (.textTooLong, field)
            (self.bytes, self.limit) = (UInt64(clamping: bytes), UInt64(clamping: limit))
        case .missing(let field): (reason, self.field) = (.missing, field)
        case .notAllowed(let actor, let action):
            (reason, self.actor, self.action) = (.notAllowed, actor, action.wire)
        case .withdrawn: reason = .withdrawn
        case .unknownSession: reason = .unknownSession
        case .windowExpired: reason = .windowExpired
        case .malformed(let field): (reason, self.field) = (.malformed, field)
        case .guardNotMet(let statement, let expected, let found):
            (reason, self.statement) = (.guardNotMet, UInt32(clamping: statement))
            (self.expected, self.found) = (UInt64(clamping: expected), UInt64(clamping: found))
        case .statementFailed(let statement, let why):
            (reason, self.statement, field) = (.statementFailed, UInt32(clamping: statement), why)
        case .resultTooLarge(let statement, let limit):
            (reason, self.statement, self.limit) = (
                .resultTooLarge, UInt32(clamping: statement), UInt64(clamping: limit)
            )
        case .changesTooLarge(let statement, let limit):
            (reason, self.statement) = (.changesTooLarge, UInt32(clamping: statement))
            self.limit = UInt64(clamping: limit)
        case .tookTooLong(let statement, let milliseconds):
            (reason, self.statement) = (.tookTooLong, UInt32(clamping: statement))
            limit = UInt64(clamping: milliseconds)
        case .needsService(let actor): (reason, self.actor) = (.needsService, actor)
        }
    }
}

extension Answer {
    /// - Returns: nil when the node could not say (`not_now`), or opened a session.
    package init?(_ message: Twinline_Seat_V1_Answer) throws(MalformedMessage) {
        switch message.outcome {
        case .done(let done): self = .done(try Done(done))
        case .executed(let executed): self = try Answer(executed)
        case .schemaChanged(let changed): self = .schemaChanged(version: changed.version)
        case .refused(let refusal): self = .refused(try Refusal(refusal))
        case .notNow, .sessionOpened: return nil
        case nil: throw MalformedMessage(field: "outcome")
        }
    }
}

extension Twinline_Seat_V1_Answer {
    package init(session: Int64, sequence: UInt64, _ answer: Answer) {
        self.init()
        self.session = UInt64(bitPattern: session)
        self.sequence = sequence
        switch answer {
        case .done(let done): self.done = Twinline_Seat_V1_Done(done)
        case .executed(let results): executed = Twinline_Seat_V1_Executed(results)
        case .schemaChanged(let version): schemaChanged.version = version
        case .refused(let refusal): self.refused = Twinline_Seat_V1_Refusal(refusal)
        }
    }
}
