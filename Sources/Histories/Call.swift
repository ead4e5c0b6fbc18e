import Tickets

/// A name or a number that a workload chose: an element of a set, a key or a value of a list.
package enum Label: Hashable, Sendable {
    case number(Int64)
    case text(String)
}

/// A command on a ticket, as its row in the ticket's history shows it.
package struct TicketStep: Hashable, Sendable {
    package var action: HistoryRow.Action
    /// The unit of a dispatch; else the text, reason, result or note. Best unique for each note: only then a note that
    /// is there twice can be told from two notes.
    package var detail: String

    package init(_ action: HistoryRow.Action, _ detail: String = "") { (self.action, self.detail) = (action, detail) }
}

/// One step of a transaction on append lists. A read that is asked for, or whose answer is not known, has no elements.
package enum ListStep: Equatable, Sendable {
    case append(key: Label, Label)
    case read(key: Label, [Label]?)
}

/// Where a read is answered.
package enum ReadSource: Equatable, Sendable {
    /// By the primary: it sees everything that was answered before it began.
    case latest
    /// By the standby: how old it may be is what it says itself.
    case standby
}

/// What a client asks for.
package enum Call: Equatable, Sendable {
    case command(TicketID, TicketStep)
    case show(TicketID, ReadSource)
    /// A ticket's history rows, from the primary.
    case history(TicketID)
    /// All tickets there are, from the primary.
    case list
    case add(set: Label, Label)
    case elements(set: Label)
    /// Sets up the bank: once, before anything else is done to it.
    case accounts([String: Int64])
    case transfer(from: String, to: String, amount: Int64)
    /// Of all accounts, in one snapshot.
    case balances(ReadSource)
    case transaction([ListStep])

    /// The ticket that it is about.
    package var ticket: TicketID? {
        switch self {
        case .command(let id, _), .show(let id, _), .history(let id): id
        case .list, .add, .elements, .accounts, .transfer, .balances, .transaction: nil
        }
    }
}

/// A ticket as a read found it.
package struct Sighting: Equatable, Sendable {
    /// Nil: there is no such ticket.
    package var progress: Ticket.Progress?
    /// How old the answer is at most, in nanoseconds before the read began, as the answer itself says.
    package var age: Int64?
    /// What the answer's node had applied: epoch and LSN.
    package var position: SeenPosition?

    package init(_ progress: Ticket.Progress?, age: Int64? = nil, position: SeenPosition? = nil) {
        (self.progress, self.age, self.position) = (progress, age, position)
    }
}

package struct SeenPosition: Hashable, Comparable, Sendable {
    package var epoch: Int64
    package var lsn: Int64

    package init(epoch: Int64, lsn: Int64) { (self.epoch, self.lsn) = (epoch, lsn) }

    /// Committed entries' LSNs never go back, whatever the epoch.
    package static func < (left: Self, right: Self) -> Bool { (left.lsn, left.epoch) < (right.lsn, right.epoch) }
}

/// What a client was told.
package enum Answer: Equatable, Sendable {
    /// Of an add, a transfer, or the accounts' setting up.
    case done
    /// Of a command.
    case advanced(state: Ticket.State, revision: Int64)
    case ticket(Sighting)
    case rows([TicketStep])
    case tickets([TicketID])
    case elements([Label])
    case balances([String: Int64])
    /// The steps that were asked for, with what the reads found.
    case transaction([ListStep])
}

/// What a refused command saw of its ticket: a refusal is a read, too.
package enum RefusedState: Equatable, Sendable {
    case noSuchTicket
    case ticketExists
    case notInState(Ticket.State)
}

/// What became of a call.
package enum Outcome: Equatable, Sendable {
    case ok(Answer)
    /// It did not happen and will not.
    case failed(RefusedState?)
    /// Nobody knows: it may have happened, may happen at any later time, or never.
    case unknown
}

extension Outcome {
    package init(_ done: Done) { self = .ok(Answer(done)) }

    package init(_ refusal: Refusal) {
        switch refusal {
        case .noSuchTicket: self = .failed(.noSuchTicket)
        case .ticketExists: self = .failed(.ticketExists)
        case .notInState(_, let state, _): self = .failed(.notInState(state))
        // An older copy may have been run.
        case .unknownSession, .windowExpired: self = .unknown
        case .textTooLong, .missing, .notAllowed, .guardNotMet, .statementFailed, .resultTooLarge, .changesTooLarge,
            .tookTooLong, .needsService, .malformed, .withdrawn:
            self = .failed(nil)
        }
    }
}

extension Answer {
    package init(_ done: Done) { self = .advanced(state: done.state, revision: done.revision) }
}

extension TicketStep {
    package init(_ command: Command) {
        switch command {
        case .open: self.init(.open)
        case .dispatch(_, let unit, _): self.init(.dispatch, unit)
        case .accept(_, let note): self.init(.accept, note)
        case .return(_, let reason): self.init(.return, reason)
        case .complete(_, let result): self.init(.complete, result)
        case .note(_, let text): self.init(.note, text)
        }
    }

    package init(_ row: HistoryRow) { self.init(row.action, row.action == .dispatch ? row.unit : row.note) }

    /// A command that `Tickets` decides on as on the one that was recorded. What the record leaves out is filled in:
    /// the rules ask of a text only that there is one.
    func command(on id: TicketID) -> Command {
        let text = detail.isEmpty ? "–" : detail
        return switch action {
        case .open: .open(OpenTicket(id: id, openedAt: 0, category: "–", text: "–"))
        case .dispatch: .dispatch(id, unit: text, note: "")
        case .accept: .accept(id, note: detail)
        case .return: .return(id, reason: text)
        case .complete: .complete(id, result: detail)
        case .note: .note(id, text: text)
        }
    }
}
