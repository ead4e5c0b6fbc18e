import Histories
import TestSupport
import Testing
import Tickets

/// Small random histories, judged by the checker and by trying every order there is.
@Suite struct TicketPropertyTests {
    @Test("the checker says what trying every order says, on 20,000 small histories")
    func againstBruteForce() throws {
        var good = 0
        for seed in 0..<UInt64(20_000) {
            var random = RandomTicketHistory(seed: seed)
            let history = try random.made()
            let expected = TicketOrders(history).isLinearizable
            if expected { good += 1 }
            let verdict = HistoryChecker().check(history)
            #expect(verdict.undecided.isEmpty)
            let found = verdict.checks[0].violations.isEmpty
            #expect(
                found == expected, "seed \(seed):\n\(String(decoding: HistoryFormat.lines(of: history), as: UTF8.self))"
            )
            if found != expected { return }
        }
        // Both kinds must be among them, and many.
        #expect((4_000...16_000).contains(good), "\(good) were right")
    }
}

/// A history of one ticket: what three processes were told by a ticket that obeys the rules, and then perhaps one or
/// two answers changed.
struct RandomTicketHistory {
    private var random: SeededRandom
    private var progress: Ticket.Progress?
    private var rows: [TicketStep] = []
    private let withRows: Bool

    init(seed: UInt64) {
        random = SeededRandom(seed)
        withRows = random.chance(40)
    }

    private struct UnderWay {
        var call: Call
        var outcome: Outcome?
    }

    mutating func made() throws -> History {
        var events: [(process: Int, call: Call, outcome: Outcome?)] = []
        var underWay: [Int: UnderWay] = [:]
        var crashed: [Int: Int] = [:]
        let count = Int.random(in: 3...6, using: &random)
        var begun = 0
        while begun < count || !underWay.isEmpty {
            let client = Int.random(in: 0..<3, using: &random)
            let process = client + 3 * crashed[client, default: 0]
            guard var operation = underWay[client] else {
                if begun == count { continue }
                let call = begun == 0 ? command(.open) : self.call(begun)
                underWay[client] = UnderWay(call: call)
                events.append((process, call, nil))
                begun += 1
                continue
            }
            if let outcome = operation.outcome {
                events.append((process, operation.call, outcome))
                underWay[client] = nil
                if outcome == .unknown { crashed[client, default: 0] += 1 }
            } else if random.chance(12) {
                // Nobody learns its outcome: it has happened or not.
                if random.chance(50) { _ = effect(operation.call) }
                operation.outcome = .unknown
                underWay[client] = operation
            } else {
                operation.outcome = effect(operation.call)
                underWay[client] = operation
            }
        }
        for _ in 0..<(random.chance(60) ? Int.random(in: 1...2, using: &random) : 0) { change(&events) }
        var history = History()
        for (time, event) in events.enumerated() {
            if let outcome = event.outcome {
                try history.complete(outcome, by: event.process, at: Int64(time))
            } else {
                try history.invoke(event.call, by: event.process, at: Int64(time))
            }
        }
        return history
    }

    private mutating func call(_ number: Int) -> Call {
        switch Int.random(in: 0..<10, using: &random) {
        case 0...2: return command(.note, random.chance(70) ? "\(number)" : "same")
        case 3: return command(.dispatch, random.chance(50) ? "roads" : "parks")
        case 4: return command(.accept)
        case 5: return command(.open)
        case 6 where withRows, 7 where withRows: return .history(ticket)
        default: return show
        }
    }

    /// Takes effect now.
    private mutating func effect(_ call: Call) -> Outcome {
        switch call {
        case .command(_, let step):
            switch Self.applied(step, to: progress) {
            case .success(let next):
                progress = next
                rows.append(step)
                return done(next.state, next.revision)
            case .failure(let refusal): return Outcome(refusal)
            }
        case .history: return .ok(.rows(rows))
        default: return .ok(.ticket(Sighting(progress)))
        }
    }

    static func applied(_ step: TicketStep, to progress: Ticket.Progress?) -> Result<Ticket.Progress, Refusal> {
        let command: Command =
            switch step.action {
            case .open: .open(OpenTicket(id: ticket, openedAt: 0, category: "c", text: "t"))
            case .dispatch: .dispatch(ticket, unit: step.detail, note: "")
            case .accept: .accept(ticket, note: "")
            case .return: .return(ticket, reason: "r")
            case .complete: .complete(ticket, result: "r")
            case .note: .note(ticket, text: "n")
            }
        return Result { () throws(Refusal) in try command.decided(on: progress, by: "x", at: 0).progress }
    }

    /// One answer becomes another one.
    private mutating func change(_ events: inout [(process: Int, call: Call, outcome: Outcome?)]) {
        guard let index = events.indices.filter({ events[$0].outcome != nil }).randomElement(using: &random) else {
            return
        }
        let step: Int64 = random.chance(50) ? 1 : -1
        switch events[index].outcome {
        case .ok(.advanced(let state, let revision)) where revision + step >= 0:
            events[index].outcome = random.chance(30) ? .failed(nil) : done(state, revision + step)
        case .ok(.ticket(let sighting)):
            guard var progress = sighting.progress, progress.revision + step > 0 else {
                events[index].outcome = shown(.open, 1)
                return
            }
            progress.revision += step
            events[index].outcome = random.chance(20) ? shownNone : .ok(.ticket(Sighting(progress)))
        case .ok(.rows(var rows)) where rows.count > 1:
            if random.chance(50) { rows.removeLast() } else { rows.swapAt(rows.count - 1, rows.count - 2) }
            events[index].outcome = .ok(.rows(rows))
        case .failed: events[index].outcome = .failed(.ticketExists)
        default: break
        }
    }
}

/// Every order there is, in the plainest way.
struct TicketOrders {
    let operations: [Operation]

    init(_ history: History) {
        operations = history.operations.filter { operation in
            switch (operation.call, operation.outcome) {
            case (_, .failed(nil)), (.show, .unknown), (.history, .unknown): false
            default: true
            }
        }
    }

    var isLinearizable: Bool { search([], nil, []) }

    private func search(_ placed: Set<Int>, _ progress: Ticket.Progress?, _ rows: [TicketStep]) -> Bool {
        let open = operations.indices.filter { !placed.contains($0) }
        if open.allSatisfy({ operations[$0].completed == nil }) { return true }
        for next in open where !open.contains(where: { operations[$0].precedes(operations[next]) }) {
            let operation = operations[next]
            var (after, rowsAfter) = (progress, rows)
            let answer: Outcome
            switch operation.call {
            case .command(_, let step):
                switch RandomTicketHistory.applied(step, to: progress) {
                case .success(let changed):
                    after = changed
                    rowsAfter.append(step)
                    answer = done(changed.state, changed.revision)
                case .failure(let refusal): answer = Outcome(refusal)
                }
            case .history: answer = .ok(.rows(rows))
            default: answer = .ok(.ticket(Sighting(progress)))
            }
            guard operation.outcome == .unknown || operation.outcome == answer else { continue }
            if search(placed.union([next]), after, rowsAfter) { return true }
        }
        return false
    }
}
