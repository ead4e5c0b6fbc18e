import Tickets

/// A request as it stands in a message: its name, and what is to be done.
package struct SeatRequest: Equatable, Sendable {
    /// 0 only for `openSession`; below 2^31.
    package var session: Int64
    /// From 1, below 2^32. For `openSession` any number, carried back with the answer.
    package var sequence: UInt64
    /// The seat has the answers to all sequences below this one.
    package var answeredBelow: Int64
    package var body: Body

    package enum Body: Equatable, Sendable {
        case openSession
        case command(Command)
        case withdraw
        case execute([SQLStatement])
        case changeSchema(String)

        /// Needs a certificate of the role service.
        package var isSQL: Bool {
            switch self {
            case .openSession, .command, .withdraw: false
            case .execute, .changeSchema: true
            }
        }
    }

    package init(session: Int64, sequence: UInt64, answeredBelow: Int64, body: Body) {
        self.session = session
        self.sequence = sequence
        self.answeredBelow = answeredBelow
        self.body = body
    }

    package init(_ message: Twinline_Seat_V1_Request) throws(MalformedMessage) {
        if case .openSession? = message.command {
            guard message.session == 0 else { throw MalformedMessage(field: "session") }
            self.init(session: 0, sequence: message.sequence, answeredBelow: 0, body: .openSession)
            return
        }
        guard (1..<1 << 31).contains(message.session) else { throw MalformedMessage(field: "session") }
        guard (1..<1 << 32).contains(message.sequence) else { throw MalformedMessage(field: "sequence") }
        guard message.answeredBelow <= message.sequence else { throw MalformedMessage(field: "answered_below") }
        self.init(
            session: Int64(message.session), sequence: message.sequence, answeredBelow: Int64(message.answeredBelow),
            body: try Body(message))
    }
}

extension SeatRequest.Body {
    fileprivate init(_ request: Twinline_Seat_V1_Request) throws(MalformedMessage) {
        switch request.command {
        case .execute(let message): self = .execute(try [SQLStatement](message))
        case .schemaChange(let message): self = .changeSchema(try checkedSchemaChange(message))
        case .withdraw: self = .withdraw
        default: self = .command(try Command(request))
        }
    }
}

extension Command {
    /// The command of a request other than `open_session`.
    package init(_ request: Twinline_Seat_V1_Request) throws(MalformedMessage) {
        switch request.command {
        case .open(let message): self = .open(try OpenTicket(message))
        case .dispatch(let message):
            self = .dispatch(try TicketID(message.ticket), unit: message.unit, note: message.note)
        case .accept(let message): self = .accept(try TicketID(message.ticket), note: message.note)
        case .return(let message): self = .return(try TicketID(message.ticket), reason: message.reason)
        case .complete(let message): self = .complete(try TicketID(message.ticket), result: message.result)
        case .note(let message): self = .note(try TicketID(message.ticket), text: message.text)
        case .openSession, .withdraw, .execute, .schemaChange, nil: throw MalformedMessage(field: "command")
        }
    }
}

extension OpenTicket {
    package init(_ message: Twinline_Seat_V1_OpenTicket) throws(MalformedMessage) {
        self.init(
            id: try TicketID(message.ticket), openedAt: message.openedAt,
            channel: try Ticket.Channel(wire: message.channel, field: "channel"), caller: message.caller,
            category: message.category, district: message.district,
            priority: try Ticket.Priority(wire: message.priority, field: "priority"),
            confidential: message.confidential, text: message.text,
            deadline: message.hasDeadline ? message.deadline : nil)
    }
}

extension Twinline_Seat_V1_Request {
    package init(_ request: SeatRequest) {
        switch request.body {
        case .openSession:
            self.init()
            command = .openSession(Twinline_Seat_V1_OpenSession())
        case .command(let command): self.init(command)
        case .withdraw:
            self.init()
            command = .withdraw(Twinline_Seat_V1_Withdraw())
        case .execute(let statements):
            self.init()
            execute.statements = statements.map { Twinline_Seat_V1_Statement($0) }
        case .changeSchema(let sql):
            self.init()
            schemaChange.sql = sql
        }
        session = UInt64(bitPattern: request.session)
        sequence = request.sequence
        answeredBelow = UInt64(bitPattern: request.answeredBelow)
    }

    /// Without a name yet.
    package init(_ command: Command) {
        self.init()
        switch command {
        case .open(let ticket): self.open = Twinline_Seat_V1_OpenTicket(ticket)
        case .dispatch(let id, let unit, let note):
            dispatch.ticket = id.bytes
            dispatch.unit = unit
            dispatch.note = note
        case .accept(let id, let note):
            accept.ticket = id.bytes
            accept.note = note
        case .return(let id, let reason):
            self.return.ticket = id.bytes
            self.return.reason = reason
        case .complete(let id, let result):
            complete.ticket = id.bytes
            complete.result = result
        case .note(let id, let text):
            note.ticket = id.bytes
            note.text = text
        }
    }
}

extension Twinline_Seat_V1_OpenTicket {
    package init(_ ticket: OpenTicket) {
        self.init()
        self.ticket = ticket.id.bytes
        openedAt = ticket.openedAt
        channel = ticket.channel.wire
        caller = ticket.caller
        category = ticket.category
        district = ticket.district
        priority = ticket.priority.wire
        confidential = ticket.confidential
        text = ticket.text
        if let deadline = ticket.deadline { self.deadline = deadline }
    }
}
