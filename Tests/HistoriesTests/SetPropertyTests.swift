import Histories
import TestSupport
import Testing

/// Small random histories of a set and of a bank, judged by the checker and by trying every order there is.
@Suite struct SetPropertyTests {
    @Test("of sets the checker says what trying every order says, on 20,000 small histories")
    func sets() throws {
        var good = 0
        for seed in 0..<UInt64(20_000) {
            var random = SeededRandom(seed)
            let history = try Self.history(&random) { added, random in
                if random.chance(50) { return .add(set: .number(0), .number(added)) }
                return .elements(set: .number(0))
            }
            let expected = SimpleOrders(history).isLinearizable
            if expected { good += 1 }
            let found = HistoryChecker().check(history).checks[1].violations.isEmpty
            #expect(
                found == expected, "seed \(seed):\n\(String(decoding: HistoryFormat.lines(of: history), as: UTF8.self))"
            )
            if found != expected { return }
        }
        #expect((4_000...16_000).contains(good), "\(good) were right")
    }

    @Test("a bank that some order explains is never called wrong, and most that none explains are")
    func banks() throws {
        var good = 0, missed = 0
        for seed in 0..<UInt64(20_000) {
            var random = SeededRandom(seed)
            let history = try Self.history(&random, beginning: [.accounts(["a": 10, "b": 10])]) { number, random in
                if random.chance(50) { return .balances(.latest) }
                return random.chance(50)
                    ? .transfer(from: "a", to: "b", amount: number) : .transfer(from: "b", to: "a", amount: number)
            }
            let expected = SimpleOrders(history).isLinearizable
            if expected { good += 1 }
            let found = HistoryChecker().check(history).checks[2].violations.isEmpty
            if expected { #expect(found, "seed \(seed)") } else if found { missed += 1 }
            if expected && !found { return }
        }
        // Two snapshots that contradict each other only are not looked for.
        #expect(missed * 20 < 20_000 - good, "\(missed) of \(20_000 - good) wrong ones were missed")
        #expect((2_000...18_000).contains(good), "\(good) were right")
    }

    /// What three processes are told by an object that is right, with perhaps one answer of an earlier state or of a
    /// change that is lost.
    static func history(
        _ random: inout SeededRandom, beginning: [Call] = [], _ call: (Int64, inout SeededRandom) -> Call
    ) throws -> History {
        var history = History()
        var states: [SimpleObject] = [SimpleObject()]
        let isWild = random.chance(80)
        var underWay: [Int: (call: Call, outcome: Outcome?)] = [:]
        var crashed: [Int: Int] = [:]
        var time: Int64 = 0
        for call in beginning {
            states[0].apply(call)
            try history.invoke(call, by: 0, at: 0)
            try history.complete(.ok(.done), by: 0, at: 0)
        }
        let count = Int64.random(in: 4...7, using: &random)
        var begun: Int64 = 0
        while begun < count || !underWay.isEmpty {
            let client = Int.random(in: 0..<3, using: &random)
            let process = client + 3 * crashed[client, default: 0]
            time += 1
            guard let (asked, outcome) = underWay[client] else {
                if begun == count { continue }
                begun += 1
                let next = call(begun, &random)
                underWay[client] = (next, nil)
                try history.invoke(next, by: process, at: time)
                continue
            }
            if let outcome {
                underWay[client] = nil
                if outcome == .unknown { crashed[client, default: 0] += 1 }
                try history.complete(outcome, by: process, at: time)
                continue
            }
            var newest = states[states.count - 1]
            let fate = Int.random(in: 0..<100, using: &random)
            let seen = isWild && fate < 60 ? states[Int.random(in: states.indices, using: &random)] : newest
            if let answer = seen.answer(to: asked) {
                underWay[client] = (asked, .ok(answer))
            } else {
                let happens = !(isWild && fate < 20 || fate >= 94)
                if happens { newest.apply(asked) }
                if isWild, (20..<30).contains(fate) { newest.apply(asked) }
                states.append(newest)
                underWay[client] = (asked, fate >= 97 ? .failed(nil) : fate >= 88 ? .unknown : .ok(.done))
            }
        }
        return history
    }
}

/// A set and a bank, as they should be.
struct SimpleObject: Equatable {
    private var elements: [Label] = []
    private var balances: [String: Int64] = [:]

    mutating func apply(_ call: Call) {
        switch call {
        case .add(_, let element): elements.append(element)
        case .accounts(let opened): balances = opened
        case .transfer(let from, let to, let amount):
            balances[from, default: 0] -= amount
            balances[to, default: 0] += amount
        default: break
        }
    }

    /// Nil: it is no read.
    func answer(to call: Call) -> Answer? {
        switch call {
        case .elements: .elements(elements)
        case .balances: .balances(balances)
        default: nil
        }
    }
}

/// Every order there is, in the plainest way.
struct SimpleOrders {
    let operations: [Operation]

    init(_ history: History) {
        operations = history.operations.filter { if case .failed = $0.outcome { false } else { true } }
    }

    var isLinearizable: Bool { search([], SimpleObject()) }

    private func search(_ placed: Set<Int>, _ object: SimpleObject) -> Bool {
        let open = operations.indices.filter { !placed.contains($0) }
        if open.allSatisfy({ operations[$0].completed == nil }) { return true }
        for next in open where !open.contains(where: { operations[$0].precedes(operations[next]) }) {
            let operation = operations[next]
            var after = object
            if let answer = object.answer(to: operation.call) {
                guard case .ok(let told) = operation.outcome, Self.same(told, answer) else { continue }
            } else {
                after.apply(operation.call)
            }
            if search(placed.union([next]), after) { return true }
        }
        return false
    }

    /// A set's elements come in any order.
    private static func same(_ told: Answer, _ answer: Answer) -> Bool {
        guard case .elements(let left) = told, case .elements(let right) = answer else { return told == answer }
        return left.map { "\($0)" }.sorted() == right.map { "\($0)" }.sorted()
    }
}
