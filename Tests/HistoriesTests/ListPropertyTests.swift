import Histories
import TestSupport
import Testing

/// Small random histories of transactions on lists, judged by the checker and by trying every order there is.
@Suite struct ListPropertyTests {
    @Test("the checker says what trying every order says, on 20,000 small histories")
    func againstBruteForce() throws {
        var good = 0
        for seed in 0..<UInt64(20_000) {
            var random = RandomListHistory(seed: seed)
            let history = try random.made()
            let expected = TransactionOrders(history).isSerializable
            if expected { good += 1 }
            let verdict = HistoryChecker().check(history)
            #expect(verdict.undecided.isEmpty)
            let found = verdict.checks[3].violations.isEmpty
            #expect(
                found == expected, "seed \(seed):\n\(String(decoding: HistoryFormat.lines(of: history), as: UTF8.self))"
            )
            if found != expected { return }
        }
        #expect((4_000...16_000).contains(good), "\(good) were right")
    }
}

/// Transactions of three processes on two lists. Each sees one snapshot, as a rule the newest one, and at times an
/// older one or a different one for each read.
struct RandomListHistory {
    private var random: SeededRandom
    private var versions: [[Label: [Label]]] = [[:]]
    private var appended: Int64 = 0
    private let isWild: Bool

    init(seed: UInt64) {
        random = SeededRandom(seed)
        isWild = random.chance(80)
    }

    mutating func made() throws -> History {
        var history = History()
        var time: Int64 = 0
        var underWay: [Int: (asked: [ListStep], outcome: Outcome?)] = [:]
        var crashed: [Int: Int] = [:]
        let count = Int.random(in: 3...6, using: &random)
        var begun = 0
        while begun < count || !underWay.isEmpty {
            let client = Int.random(in: 0..<3, using: &random)
            let process = client + 3 * crashed[client, default: 0]
            time += 1
            guard let (asked, outcome) = underWay[client] else {
                if begun == count { continue }
                begun += 1
                let steps = self.steps()
                underWay[client] = (steps, nil)
                try history.invoke(.transaction(steps), by: process, at: time)
                continue
            }
            if let outcome {
                underWay[client] = nil
                if outcome == .unknown { crashed[client, default: 0] += 1 }
                try history.complete(outcome, by: process, at: time)
            } else {
                underWay[client] = (asked, run(asked))
            }
        }
        return history
    }

    private mutating func steps() -> [ListStep] {
        (0..<Int.random(in: 1...3, using: &random)).map { _ in
            let key = Label.text(random.chance(50) ? "x" : "y")
            if random.chance(50) { return .read(key: key, nil) }
            appended += 1
            return .append(key: key, .number(appended))
        }
    }

    private mutating func run(_ steps: [ListStep]) -> Outcome {
        var state = snapshot()
        var answered: [ListStep] = []
        var own: [Label: [Label]] = [:]
        for step in steps {
            switch step {
            case .append(let key, let value):
                own[key, default: []].append(value)
                answered.append(step)
            case .read(let key, _):
                if isWild, random.chance(40) { state = snapshot() }
                answered.append(.read(key: key, (state[key] ?? []) + (own[key] ?? [])))
            }
        }
        let fate = Int.random(in: 0..<100, using: &random)
        // Mostly it happens; when it is said to have failed, too, at times.
        if fate < 88 || isWild && fate < 92 || fate > 96 {
            var newest = versions[versions.count - 1]
            for (key, values) in own {
                if isWild, random.chance(12) { continue }
                newest[key, default: []] += values
            }
            versions.append(newest)
        }
        return fate < 88 ? .ok(.transaction(answered)) : fate < 94 ? .failed(nil) : .unknown
    }

    private mutating func snapshot() -> [Label: [Label]] {
        let age = isWild && random.chance(60) ? Int.random(in: 0...2, using: &random) : 0
        return versions[max(versions.count - 1 - age, 0)]
    }
}

/// Every order there is of the transactions that happened or may have, in the plainest way.
struct TransactionOrders {
    let operations: [Operation]

    init(_ history: History) {
        operations = history.operations.filter { if case .failed = $0.outcome { false } else { true } }
    }

    var isSerializable: Bool { search([], [:]) }

    private func search(_ placed: Set<Int>, _ state: [Label: [Label]]) -> Bool {
        let open = operations.indices.filter { !placed.contains($0) }
        if open.allSatisfy({ operations[$0].completed == nil }) { return true }
        for next in open where !open.contains(where: { operations[$0].precedes(operations[next]) }) {
            guard let after = applied(operations[next], state) else { continue }
            if search(placed.union([next]), after) { return true }
        }
        return false
    }

    /// Nil: its reads are not right here.
    private func applied(_ operation: Operation, _ state: [Label: [Label]]) -> [Label: [Label]]? {
        guard case .transaction(var steps) = operation.call else { return nil }
        if case .ok(.transaction(let answered)) = operation.outcome { steps = answered }
        var state = state
        for step in steps {
            switch step {
            case .append(let key, let value): state[key, default: []].append(value)
            case .read(let key, let found?): if state[key] ?? [] != found { return nil }
            case .read(_, nil): break
            }
        }
        return state
    }
}
