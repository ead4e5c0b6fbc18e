import Tickets

/// One ticket's part of a history, in the order in which its operations were invoked.
struct TicketRecord {
    struct Item {
        /// In the history.
        var index: Int
        /// Lines.
        var invoked: Int
        var completed: Int?
        var role: Role
    }

    enum Role: Equatable {
        /// Changes the ticket. Without a result it may happen at any time after it was invoked, or never.
        case command(TicketStep, Result?)
        /// Sees the ticket and leaves it as it is.
        case look(Look)
    }

    struct Result: Equatable {
        var state: Ticket.State
        var revision: Int64
    }

    enum Look: Equatable {
        case progress(Ticket.Progress?)
        case rows([TicketStep])
        /// A refusal tells what state the ticket was in.
        case refusal(TicketStep, RefusedState)
    }

    let ticket: TicketID
    private(set) var items: [Item] = []
    /// Commands that were answered "it did not happen", by their index in the history.
    private(set) var failed: [(index: Int, step: TicketStep)] = []

    init(_ ticket: TicketID) { self.ticket = ticket }

    init(_ ticket: TicketID, _ items: [Item], failed: [(index: Int, step: TicketStep)] = []) {
        (self.ticket, self.items, self.failed) = (ticket, items, failed)
    }

    var readsRows: Bool {
        items.contains { if case .look(.rows) = $0.role { true } else { false } }
    }

    mutating func add(_ operation: Operation, _ index: Int) {
        guard let role = role(of: operation, index) else { return }
        items.append(
            Item(index: index, invoked: operation.invoked.line, completed: operation.completed?.line, role: role))
    }

    /// Nil: it says nothing. A failed command that saw nothing, and a read without an answer, don't.
    private mutating func role(of operation: Operation, _ index: Int) -> Role? {
        switch (operation.call, operation.outcome) {
        case (.command(_, let step), .ok(.advanced(let state, let revision))):
            return .command(step, Result(state: state, revision: revision))
        case (.command(_, let step), .failed(let state)):
            failed.append((index, step))
            return state.map { .look(.refusal(step, $0)) }
        case (.command(_, let step), _): return .command(step, nil)
        case (.show(_, .latest), .ok(.ticket(let sighting))): return .look(.progress(sighting.progress))
        case (.history, .ok(.rows(let rows))): return .look(.rows(rows))
        default: return nil
        }
    }
}
