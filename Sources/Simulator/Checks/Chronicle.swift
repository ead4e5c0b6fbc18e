import Histories
import Replication
import Seat
import Store
import Tickets

/// What the seats asked for and were told, as anybody outside could have written it down, for the checkers that judge
/// histories of real pairs. The `Ledger` looks into the nodes, and sees a fault where it happens; this sees nothing but
/// answers, and so whether anybody would have noticed.
final class Chronicle {
    private unowned let world: World
    private var recorder: HistoryRecorder
    private var tokens: [UInt64: HistoryRecorder.Token] = [:]
    /// Who looks everything up in the end.
    private let auditor: Int
    /// From a forced act on that has cost something answered, P1 and P3 aren't claimed: it ends there.
    private var isClosed = false

    init(_ world: World) {
        self.world = world
        auditor = world.profile.seats * world.profile.callers
        recorder = HistoryRecorder(clients: auditor + 1)
    }

    var history: History { recorder.history }
    private var now: Int64 { Int64(world.now) }

    /// One that is asked again under its name goes on: it is the same operation, told of late.
    func asked(_ operation: Operation) {
        guard !isClosed, tokens[operation.number] == nil, let call = operation.call else { return }
        let seat = operation.host.number - Host.firstSeat
        let client = seat * world.profile.callers + operation.caller
        tokens[operation.number] = recorder.invoke(call, by: client, at: now)
    }

    func heard(_ outcome: SeatSession.Outcome, of operation: Operation) {
        guard !isClosed, let token = tokens[operation.number] else { return }
        switch outcome {
        case .failed(.unknown) where !operation.isRead: return recorder.setAside(token)
        // It may have happened in its first life.
        case .failed(.unreachable) where operation.name != nil, .failed(.diskFull) where operation.name != nil: break
        default: recorder.complete(token, Histories.Outcome(outcome, isRead: operation.isRead), at: now)
        }
        tokens[operation.number] = nil
    }

    /// Its seat's program has ended, and forgotten it.
    func abandoned(_ operation: Operation) {
        guard !isClosed, let token = tokens.removeValue(forKey: operation.number) else { return }
        if operation.isRead {
            recorder.complete(token, .failed(nil), at: now)
        } else {
            recorder.setAside(token)
        }
    }

    func close() { isClosed = true }

    /// Lists all tickets in a database that holds everything answered, and reads their rows: what was lost and never
    /// asked for again shows here.
    func lookUp(_ read: ([Query]) throws(StoreError) -> [View]) throws(StoreError) {
        guard !isClosed else { return }
        let listing = recorder.invoke(.list, by: auditor, at: now)
        var tickets: [TicketID] = []
        while case .tickets(let page)? = try read([
            .list(state: nil, unit: nil, before: tickets.last, limit: 1000)
        ]).first, !page.isEmpty {
            tickets += page.map(\.id)
        }
        recorder.complete(listing, .ok(.tickets(tickets)), at: now)
        for ticket in tickets {
            let reading = recorder.invoke(.history(ticket), by: auditor, at: now)
            guard case .history(let rows)? = try read([.history(ticket)]).first else { continue }
            recorder.complete(reading, .ok(.rows(rows.map(TicketStep.init))), at: now)
        }
    }

    /// Nil: it is right, as far as that could be decided.
    func violation() -> String? {
        let verdict = HistoryChecker().check(recorder.history)
        world.count("operations in histories", by: recorder.history.operations.count)
        if !verdict.undecided.isEmpty { world.count("histories that could not be decided") }
        guard let first = verdict.violations.first else { return nil }
        for index in first.operations {
            let operation = recorder.history.operations[index]
            world.note("    process \(operation.process) at \(operation.invoked.time) ns: \(operation.words)")
        }
        return "HISTORY: \(first.anomaly.rawValue), \(first.subject): \(first.explanation)"
    }
}

extension Operation {
    /// Nil: what is told of it says nothing by itself.
    fileprivate var call: Call? {
        switch wish {
        case .command(let command): .command(command.ticket, TicketStep(command))
        case .read(.show(let ticket), .latest): .show(ticket, .latest)
        // Whichever node it is that has come so far.
        case .read(.show(let ticket), _): .show(ticket, .standby)
        case .read(.history(let ticket), .latest): .history(ticket)
        case .read: nil
        }
    }
}

extension Histories.Outcome {
    fileprivate init(_ outcome: SeatSession.Outcome, isRead: Bool) {
        switch outcome {
        case .done(let done): self = Histories.Outcome(done)
        case .view(.ticket(let ticket), _): self = .ok(.ticket(Sighting(ticket?.progress)))
        case .view(.history(let rows), _): self = .ok(.rows(rows.map(TicketStep.init)))
        case .failed(.refused(let refusal)) where !isRead: self = Histories.Outcome(refusal)
        case .failed(.unknown) where !isRead: self = .unknown
        case .view, .failed, .executed, .schemaChanged, .named, .nameVoid, .status, .operation: self = .failed(nil)
        }
    }
}
