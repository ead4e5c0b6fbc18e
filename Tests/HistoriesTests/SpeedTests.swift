import Glibc
import Histories
import TestSupport
import Testing
import Tickets

@Suite struct SpeedTests {
    @Test("a history of a busy pair that is eight times as long takes about eight times as long to check")
    func long() throws {
        let short = try nanoseconds(operations: 2500), long = try nanoseconds(operations: 20_000)
        print("20,000 operations checked in \(long / 1_000_000) ms, 2,500 in \(short / 1_000_000) ms")
        // More than eight times, since it fits no cache any more; 64 times would be each against each.
        #expect(long < 24 * short)
    }

    /// Of this thread's own time, so that what else the machine does is not counted.
    private func nanoseconds(operations: Int) throws -> Int {
        var run = BusyRun(seed: 1)
        let history = try run.made(operations: operations)
        let before = spent()
        let verdict = HistoryChecker().check(history)
        let after = spent()
        #expect(verdict.isGood, "\(String(describing: verdict.violations.first))")
        return after - before
    }

    private func spent() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    @Test("one ticket at which many work at once, and many never learn what became of it")
    func hotTicket() throws {
        var random = SeededRandom(3)
        var recorder = HistoryRecorder(clients: 8)
        var revision: Int64 = 1
        var underWay: [Int: (token: HistoryRecorder.Token, call: Call, outcome: Outcome?)] = [:]
        let opening = recorder.invoke(command(.open), by: 0, at: 0)
        recorder.complete(opening, done(.open, 1), at: 0)
        for number in 0..<20_000 {
            let client = Int.random(in: 0..<8, using: &random)
            guard let (token, call, outcome) = underWay[client] else {
                let call = random.chance(40) ? show : command(.note, "\(number)")
                underWay[client] = (recorder.invoke(call, by: client, at: Int64(number)), call, nil)
                continue
            }
            if let outcome {
                recorder.complete(token, outcome, at: Int64(number))
                underWay[client] = nil
            } else if call == show {
                underWay[client] = (token, call, shown(.open, revision))
            } else if random.chance(3) {
                if random.chance(50) { revision += 1 }
                underWay[client] = (token, call, .unknown)
            } else {
                revision += 1
                underWay[client] = (token, call, done(.open, revision))
            }
        }
        let verdict = HistoryChecker().check(recorder.history)
        #expect(verdict.isGood, "\(String(describing: verdict.violations.first))")
    }
}

/// A right history of everything at once: tickets, a set, a bank, lists, standby reads.
struct BusyRun {
    private var random: SeededRandom
    private var tickets: [Ticket.Progress] = []
    private var elements: [Label] = []
    private var balances = ["a/1": Int64(100), "b/1": 100, "a/2": 100, "b/2": 100]
    private var lists: [Label: [Label]] = [:]
    private var made: Int64 = 0

    init(seed: UInt64) { random = SeededRandom(seed) }

    mutating func made(operations: Int) throws -> History {
        let clients = 12
        var recorder = HistoryRecorder(clients: clients)
        let opening = recorder.invoke(.accounts(balances), by: 0, at: 0)
        recorder.complete(opening, .ok(.done), at: 0)
        var underWay: [Int: (token: HistoryRecorder.Token, call: Call, outcome: Outcome?)] = [:]
        var begun = 0, time: Int64 = 0
        while begun < operations || !underWay.isEmpty {
            time += 1000
            let client = Int.random(in: 0..<clients, using: &random)
            guard let (token, call, outcome) = underWay[client] else {
                guard begun < operations else { continue }
                begun += 1
                let call = self.call()
                underWay[client] = (recorder.invoke(call, by: client, at: time), call, nil)
                continue
            }
            if let outcome {
                recorder.complete(token, outcome, at: time)
                underWay[client] = nil
            } else {
                let outcome = run(call)
                underWay[client] = (token, call, random.chance(1) ? .unknown : outcome)
            }
        }
        return recorder.history
    }

    private static func id(_ number: Int) -> TicketID { TicketID(high: 1, low: UInt64(number)) }

    private mutating func call() -> Call {
        made += 1
        let ticket = Int.random(in: 0...max(tickets.count - 1, 0), using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<8:
            tickets.append(Ticket.Progress(state: .open, unit: "", revision: 0))
            return .command(Self.id(tickets.count - 1), TicketStep(.open))
        case 8..<40: return .command(Self.id(ticket), TicketStep(.note, "\(made)"))
        case 40..<60: return .show(Self.id(ticket), .latest)
        case 60..<64: return .show(Self.id(ticket), .standby)
        case 64..<74: return .add(set: .text("s"), .number(made))
        case 74..<75: return .elements(set: .text("s"))
        case 75..<80: return .transfer(from: "a/1", to: "b/2", amount: made)
        case 80..<85: return .balances(.latest)
        default:
            let steps = (0..<Int.random(in: 1...4, using: &random)).map { step -> ListStep in
                let key = Label.number(made / 200 * 4 + Int64.random(in: 0..<4, using: &random))
                return random.chance(50) ? .read(key: key, nil) : .append(key: key, .number(made * 10 + Int64(step)))
            }
            return .transaction(steps)
        }
    }

    private mutating func run(_ call: Call) -> Outcome {
        switch call {
        case .command(let id, let step):
            let number = Int(id.low)
            guard number < tickets.count, tickets[number].revision > 0 || step.action == .open else {
                return .failed(.noSuchTicket)
            }
            tickets[number].revision += 1
            return done(.open, tickets[number].revision)
        case .show(let id, _):
            let number = Int(id.low)
            let exists = number < tickets.count && tickets[number].revision > 0
            return exists ? .ok(.ticket(Sighting(tickets[number]))) : shownNone
        case .add(_, let element):
            elements.append(element)
            return .ok(.done)
        case .elements: return .ok(.elements(elements))
        case .transfer(let from, let to, let amount):
            balances[from, default: 0] -= amount
            balances[to, default: 0] += amount
            return .ok(.done)
        case .balances: return .ok(.balances(balances))
        case .transaction(let steps):
            return .ok(
                .transaction(
                    steps.map { step in
                        switch step {
                        case .append(let key, let value):
                            lists[key, default: []].append(value)
                            return step
                        case .read(let key, _): return .read(key: key, lists[key] ?? [])
                        }
                    }))
        default: return .failed(nil)
        }
    }
}
