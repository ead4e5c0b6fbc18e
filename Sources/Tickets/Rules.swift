/// What may happen to a ticket, and what it then becomes. Pure: the same command on the same ticket always gives the
/// same change or the same refusal.
///
///     open       (none)                 -> open
///     dispatch   open, returned         -> dispatched   to a unit
///     accept     dispatched             -> accepted
///     return     dispatched, accepted   -> returned     the unit no longer has it; the reason is required
///     complete   accepted               -> completed
///     note       any                    -> the same     also on a completed ticket
extension Command {
    /// - Throws: `Refusal`: nothing is to be written but the refusal itself.
    public func decided(
        on current: Ticket.Progress?, by actor: String, at milliseconds: Int64
    ) throws(Refusal) -> Change {
        try checkFields()
        let after = try progress(after: current)
        var note = ""
        var unit = after.unit
        switch self {
        case .open: break
        case .dispatch(_, _, let text), .accept(_, let text), .complete(_, let text), .note(_, let text): note = text
        case .return(_, let reason):
            note = reason
            unit = current?.unit ?? ""
        }
        let row = HistoryRow(
            ticket: ticket, revision: after.revision, at: milliseconds, actor: actor, action: action,
            state: after.state, unit: unit, note: note)
        return Change(progress: after, row: row)
    }

    public var action: HistoryRow.Action {
        switch self {
        case .open: .open
        case .dispatch: .dispatch
        case .accept: .accept
        case .return: .return
        case .complete: .complete
        case .note: .note
        }
    }

    private func progress(after current: Ticket.Progress?) throws(Refusal) -> Ticket.Progress {
        if case .open(let new) = self {
            guard current == nil else { throw .ticketExists(new.id) }
            return Ticket.Progress(state: .open, unit: "", revision: 1)
        }
        guard var after = current else { throw .noSuchTicket(ticket) }
        switch (self, after.state) {
        case (.dispatch(_, let unit, _), .open), (.dispatch(_, let unit, _), .returned):
            (after.state, after.unit) = (.dispatched, unit)
        case (.accept, .dispatched): after.state = .accepted
        case (.return, .dispatched), (.return, .accepted): (after.state, after.unit) = (.returned, "")
        case (.complete, .accepted): after.state = .completed
        case (.note, _): break
        case (.open, _), (.dispatch, _), (.accept, _), (.return, _), (.complete, _):
            throw .notInState(ticket, state: after.state, action: action)
        }
        after.revision += 1
        return after
    }

    /// The longest short field (a name, a place, a unit), in bytes of UTF-8.
    public static let shortFieldLimit = 256
    /// The longest text, reason, result or note, in bytes of UTF-8: a frame of the seat protocol holds it.
    public static let textLimit = 1 << 20

    private func checkFields() throws(Refusal) {
        switch self {
        case .open(let new):
            guard new.id != TicketID(high: 0, low: 0) else { throw .missing(field: "ticket") }
            try check("caller", new.caller, atMost: Self.shortFieldLimit)
            try check("category", new.category, required: true, atMost: Self.shortFieldLimit)
            try check("district", new.district, atMost: Self.shortFieldLimit)
            try check("text", new.text, required: true, atMost: Self.textLimit)
        case .dispatch(_, let unit, let note):
            try check("unit", unit, required: true, atMost: Self.shortFieldLimit)
            try check("note", note, atMost: Self.textLimit)
        case .accept(_, let note): try check("note", note, atMost: Self.textLimit)
        case .return(_, let reason): try check("reason", reason, required: true, atMost: Self.textLimit)
        case .complete(_, let result): try check("result", result, atMost: Self.textLimit)
        case .note(_, let text): try check("text", text, required: true, atMost: Self.textLimit)
        }
    }

    private func check(_ field: String, _ value: String, required: Bool = false, atMost limit: Int) throws(Refusal) {
        let bytes = value.utf8.count
        if required, bytes == 0 { throw .missing(field: field) }
        if bytes > limit { throw .textTooLong(field: field, bytes: bytes, limit: limit) }
    }
}

extension Ticket {
    /// The part of a ticket that commands change after it is opened.
    public struct Progress: Hashable, Sendable {
        public var state: State
        /// Empty while nobody has it.
        public var unit: String
        public var revision: Int64

        public init(state: State, unit: String, revision: Int64) {
            self.state = state
            self.unit = unit
            self.revision = revision
        }
    }

    public var progress: Progress { Progress(state: state, unit: unit, revision: revision) }
}

/// What a granted command writes: how far the ticket is after it, and the row of its history.
public struct Change: Equatable, Sendable {
    public var progress: Ticket.Progress
    public var row: HistoryRow

    public init(progress: Ticket.Progress, row: HistoryRow) {
        self.progress = progress
        self.row = row
    }

    public var done: Done { Done(ticket: row.ticket, state: progress.state, revision: progress.revision) }
}
