/// Makes the graph of what transactions on lists depend on.
struct ListGraph {
    private let transactions: [ListTransaction]
    private let orders: [Label: VersionOrder]
    private let writers: [Label: [Label: Int]]
    private var graph: DependencyGraph

    init(
        _ transactions: [ListTransaction], _ orders: [Label: VersionOrder], _ writers: [Label: [Label: Int]]
    ) {
        (self.transactions, self.orders, self.writers) = (transactions, orders, writers)
        graph = DependencyGraph(nodes: transactions.count)
    }

    mutating func build() -> DependencyGraph {
        // In the order in which the keys were first met, so that the same history has the same graph.
        var keys: [Label] = []
        var known: Set<Label> = []
        var readers: [Label: [(number: Int, count: Int)]] = [:]
        for (number, transaction) in transactions.enumerated() {
            let appended = transaction.appends.keys.sorted { "\($0)" < "\($1)" }
            for key in transaction.reads.map(\.key) + appended where known.insert(key).inserted { keys.append(key) }
            guard transaction.happened else { continue }
            for (key, elements) in transaction.reads where orders[key]?.elements.starts(with: elements) ?? true {
                readers[key, default: []].append((number, elements.count))
            }
        }
        for key in keys { connect(key, readers[key] ?? []) }
        connectRealTime()
        return graph
    }

    private mutating func connect(_ key: Label, _ readers: [(number: Int, count: Int)]) {
        let order = orders[key]?.elements ?? []
        // Who appended each element; nil for what nobody may have appended.
        let chain = order.map { element -> Int? in
            guard let writer = writers[key]?[element], transactions[writer].happened else { return nil }
            return writer
        }
        var last: Int?
        for writer in chain {
            guard let writer else { continue }
            if let last { graph.connect(last, writer, .write, key) }
            last = writer
        }
        // Whose append no read shows comes after all that was read: otherwise the reads would show it.
        let end = graph.group(unseenWriters(key, Set(order)), .write, key)
        if let last { graph.connect(last, toAllOf: end, .write, key) }
        for (number, count) in readers {
            if count > 0, let writer = chain[count - 1] { graph.connect(writer, number, .read, key) }
            let next = chain[count...].lazy.compactMap { $0 }.first
            if let next {
                graph.connect(number, next, .antiDependency, key)
            } else {
                graph.connect(number, toAllOf: end, .antiDependency, key)
            }
        }
    }

    private func unseenWriters(_ key: Label, _ seen: Set<Label>) -> [Int] {
        var unseen: Set<Int> = []
        for (value, number) in writers[key] ?? [:] where transactions[number].happened && !seen.contains(value) {
            unseen.insert(number)
        }
        return unseen.sorted()
    }

    /// From each answer to what was asked for next; what follows from others is left out (Elle's reduction).
    private mutating func connectRealTime() {
        var events: [(line: Int, number: Int, isAnswer: Bool)] = []
        for (number, transaction) in transactions.enumerated() where transaction.happened {
            events.append((transaction.operation.invoked.line, number, false))
            if let end = transaction.operation.completed { events.append((end.line, number, true)) }
        }
        // Answered, and nothing that was asked for since is answered yet.
        var frontier: [Int] = []
        for (_, number, isAnswer) in events.sorted(by: { $0.line < $1.line }) {
            if isAnswer {
                let operation = transactions[number].operation
                frontier.removeAll { transactions[$0].operation.precedes(operation) }
                frontier.append(number)
            } else {
                for earlier in frontier { graph.connect(earlier, number, .realTime) }
            }
        }
    }
}
