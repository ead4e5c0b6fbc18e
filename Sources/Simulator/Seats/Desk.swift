import Replication
import Seat
import Tickets
import Wire

/// Something that a seat's operator wants.
final class Operation {
    enum Wish {
        case command(Command)
        case read(Query, SeatRead.Level)
    }

    let number: UInt64
    let host: Host
    /// Who waits for it: not always who asked for it first.
    var caller: Int
    let wish: Wish
    /// Milliseconds.
    let patience: UInt64
    /// Under which it was asked, once its outcome is unknown.
    var name: RequestName?
    /// What somebody had been told of the ticket when this was asked.
    var knownRevision: Int64 = 0
    /// How often something told had been lost by then.
    var losses = 0

    init(_ number: UInt64, _ host: Host, _ caller: Int, _ wish: Wish, patience: UInt64) {
        (self.number, self.host, self.caller, self.wish, self.patience) = (number, host, caller, wish, patience)
    }

    var isRead: Bool { if case .read = wish { true } else { false } }
}

/// All seats' work together: which tickets there are, what was promised of them.
final class Desk {
    unowned let world: World
    let chronicle: Chronicle
    private var numbers: UInt64 = 0
    /// Opened for certain.
    private(set) var tickets: [TicketID] = []
    /// What seats were told last: state and revision.
    private var told: [TicketID: Done] = [:]
    /// It did not happen and will not: so were the seats told.
    private var never: [UInt64] = []
    private(set) var answers = 0
    /// Nobody could be reached, in all of the caller's time.
    private(set) var unreachable = 0
    private(set) var unknown = 0
    private var losses = 0

    init(_ world: World) {
        self.world = world
        chronicle = Chronicle(world)
    }

    func next(for host: Host, _ caller: Int, _ random: inout SeededRandom) -> Operation {
        numbers += 1
        let patience = random.pick([500, 2_000, 10_000] as [UInt64])
        let wish: Operation.Wish
        if let ticket = recent(&random), random.chance(world.profile.reads) {
            wish = read(of: ticket, &random)
        } else if let ticket = recent(&random), random.chance(60) {
            wish = .command(move(ticket, &random))
        } else {
            let length = random.chance(10) ? random.below(world.profile.text) : random.below(200)
            wish = .command(
                .open(
                    OpenTicket(
                        id: TicketID(
                            milliseconds: Int64(world.now / 1_000_000),
                            random: (UInt16(truncatingIfNeeded: numbers), numbers)),
                        openedAt: Int64(world.now / 1_000_000), caller: "\(numbers)", category: "lights",
                        text: String(repeating: "x", count: Int(length) + 1))))
        }
        // Nor is a lost standby waited for much longer than it takes to see that the others are answered.
        let isPatient = if case .read(_, .standby) = wish { false } else { true }
        return Operation(numbers, host, caller, wish, patience: isPatient ? patience : min(patience, 2_000))
    }

    private func recent(_ random: inout SeededRandom) -> TicketID? {
        guard !tickets.isEmpty else { return nil }
        return tickets[tickets.count - 1 - Int(random.below(UInt64(min(tickets.count, 30))))]
    }

    private func read(of ticket: TicketID, _ random: inout SeededRandom) -> Operation.Wish {
        let query: Query =
            switch random.below(10) {
            case 0: .list(state: nil, unit: nil, before: nil, limit: 10)
            case 1: .history(ticket)
            default: .show(ticket)
            }
        switch random.below(4) {
        case 0 where world.profile.standbyReads:
            let limit = random.below(400)
            return .read(query, .standby(maxAge: limit < 200 ? nil : limit))
        case 1:
            let lsn = world.ledger.tickets[ticket]?.last?.lsn ?? .zero
            guard lsn > .zero else { return .read(query, .latest) }
            return .read(query, .atLeast(world.ledger.history[Int(lsn.value) - 1]))
        default: return .read(query, .latest)
        }
    }

    /// Mostly what its state allows, as it was last told.
    private func move(_ ticket: TicketID, _ random: inout SeededRandom) -> Command {
        let note = "\(numbers)"
        let state = random.chance(20) ? random.pick(Ticket.State.allCases) : told[ticket]?.state ?? .open
        switch state {
        case .open, .returned: return .dispatch(ticket, unit: "unit \(random.below(5))", note: note)
        case .dispatched: return random.chance(70) ? .accept(ticket, note: note) : .return(ticket, reason: note)
        case .accepted: return random.chance(70) ? .complete(ticket, result: note) : .return(ticket, reason: note)
        case .completed: return .note(ticket, text: note)
        }
    }

    // MARK: what becomes of it

    func asked(_ operation: Operation) {
        chronicle.asked(operation)
        operation.losses = losses
        guard case .read(.show(let id), .latest) = operation.wish else { return }
        operation.knownRevision = told[id]?.revision ?? 0
    }

    func heard(_ outcome: SeatSession.Outcome, of operation: Operation) {
        chronicle.heard(outcome, of: operation)
        switch outcome {
        case .done(let done):
            answers += 1
            guard let known = world.ledger.done[operation.number], known.done == done else {
                return world.fail("P1: \(operation.host) is told that operation \(operation.number) is done")
            }
            if done.revision == 1 { tickets.append(done.ticket) }
            if done.revision > told[done.ticket]?.revision ?? 0 { told[done.ticket] = done }
        case .view(let view, _):
            answers += 1
            // Linearizable, as the seat sees it (P3).
            guard case .ticket(let ticket) = view, ticket?.revision ?? 0 < operation.knownRevision,
                operation.losses == losses
            else { return }
            world.fail(
                "P3: \(operation.host) is shown revision \(ticket?.revision ?? 0), and \(operation.knownRevision) "
                    + "had been told before it asked")
        case .failed(let error): failed(error, operation)
        case .executed, .schemaChanged, .status, .operation, .named, .nameVoid: break
        }
    }

    private func failed(_ error: SeatError, _ operation: Operation) {
        switch error {
        case .refused:
            answers += 1
            never.append(operation.number)
        case .unreachable, .diskFull:
            unreachable += 1
            // A repeated one may have happened in its first life.
            if !operation.isRead, operation.name == nil { never.append(operation.number) }
        case .unknown: unknown += 1
        case .misconfigured, .kept, .notKept: break
        }
    }

    /// By a forced act: what seats were told holds no longer.
    func lost() {
        losses += 1
        tickets.removeAll { world.ledger.tickets[$0] == nil }
        told = told.filter { id, done in world.ledger.tickets[id]?.last.map { $0.revision >= done.revision } ?? false }
        never = []
        chronicle.close()
    }

    func abandoned(_ operation: Operation) {
        chronicle.abandoned(operation)
        // Without a name nobody can tell what became of it.
        if !operation.isRead { unknown += 1 }
    }

    /// What seats were told will not happen has not, and does not.
    func check() {
        for operation in never where world.ledger.done[operation] != nil {
            world.fail("P2: operation \(operation) has happened, and its seat was told that it would not")
        }
    }
}
