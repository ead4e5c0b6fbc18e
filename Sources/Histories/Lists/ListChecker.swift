/// Transactions on append lists: since a read of a list shows who appended in which order, it tells which transaction
/// came before which, and a cycle of these is a contradiction. After Kingsbury and Alvaro, "Elle: Inferring Isolation
/// Anomalies from Experimental Observations" (VLDB 2020). What was answered before something else was asked for comes
/// before it, too: Twinline promises that (strict serializability).
struct ListChecker {
    private let history: History
    private var result = CheckResult(.lists)
    private var transactions: [ListTransaction] = []
    private var orders: [Label: VersionOrder] = [:]
    /// Who appended what, by number.
    private var writers: [Label: [Label: Int]] = [:]
    /// Transactions that are named in a violation, by their number.
    private var named: Set<Int> = []

    init(_ history: History) { self.history = history }

    consuming func check() -> CheckResult {
        for (index, operation) in history.operations.enumerated() {
            if let transaction = ListTransaction(operation, index) { transactions.append(transaction) }
        }
        result.operations = transactions.count
        guard !transactions.isEmpty, findWriters() else { return result }
        findOrders()
        for number in transactions.indices { checkReads(of: number) }
        findCycles()
        result.remark = writers.count == 1 ? "1 list" : "\(writers.count) lists"
        return result
    }

    /// False: two appended the same, so that nothing can be told.
    private mutating func findWriters() -> Bool {
        for (number, transaction) in transactions.enumerated() {
            for (key, values) in transaction.appends {
                for value in values {
                    guard let other = writers[key, default: [:]].updateValue(number, forKey: value) else { continue }
                    let lines = [transactions[other], transaction].map { "\($0.operation.invoked.line)" }
                    result.undecided.append(
                        "lists: \(value) is appended twice to \(key), in lines \(lines.joined(separator: " and ")); "
                            + "each value must be appended once")
                    return false
                }
            }
        }
        return true
    }

    private mutating func findOrders() {
        for (number, transaction) in transactions.enumerated() {
            for (key, elements) in transaction.views {
                for element in elements {
                    if let writer = writers[key]?[element] { transactions[writer].happened = true }
                }
                if elements.count > orders[key]?.elements.count ?? 0 {
                    orders[key] = VersionOrder(elements: elements, witness: number)
                }
            }
        }
        for (number, transaction) in transactions.enumerated() where transaction.failed {
            transactions[number].happened = false
        }
    }

    // MARK: what a single read tells

    private mutating func checkReads(of number: Int) {
        let transaction = transactions[number]
        if let key = transaction.contradictsItself {
            add(
                .internalInconsistency, key, "a read of \(key) does not show what the transaction appended itself",
                [number])
        }
        for (key, elements) in transaction.views {
            var seen: Set<Label> = []
            for element in elements where !seen.insert(element).inserted {
                add(.duplicated, key, "\(element) is in \(key) twice", [writers[key]?[element], number])
                break
            }
            checkOrigins(number, key, elements)
            guard let order = orders[key], let witness = order.witness, !order.elements.starts(with: elements) else {
                continue
            }
            add(
                .incompatibleOrders, key, "neither of these reads of \(key) is a beginning of the other",
                [number, witness])
        }
        for (key, elements) in transaction.reads {
            guard let last = elements.last, let writer = writers[key]?[last], writer != number,
                transactions[writer].appends[key]?.last != last
            else { continue }
            add(
                .intermediateRead, key, "\(last) was not the last that its transaction appended to \(key)",
                [writer, number])
        }
    }

    private mutating func checkOrigins(_ number: Int, _ key: Label, _ elements: [Label]) {
        for element in elements {
            guard let writer = writers[key]?[element] else {
                add(.phantom, key, "nobody appended \(element) to \(key)", [number])
                continue
            }
            if transactions[writer].failed {
                add(.abortedRead, key, "it was answered that \(element) was not appended to \(key)", [writer, number])
            }
        }
    }

    // MARK: what all of them tell

    private mutating func findCycles() {
        var builder = ListGraph(transactions, orders, writers)
        let graph = builder.build()
        let everything: Set<DependencyGraph.Kind> = [.write, .read, .antiDependency, .realTime]
        var search = CycleSearch(graph)
        for component in graph.components(over: everything, among: Array(graph.edges.indices)) {
            guard let cycle = search.worst(among: component) else {
                result.undecided.append("lists: a knot of \(component.count) transactions is too large to be explained")
                continue
            }
            let words = CycleWords(cycle, transactions, orders)
            // What is wrong with these has been said.
            if words.numbers.allSatisfy({ named.contains($0) }) { continue }
            named.formUnion(words.numbers)
            result.violations.append(words.violation)
        }
    }

    /// Once for each pair of transactions.
    private mutating func add(_ anomaly: Anomaly, _ key: Label, _ explanation: String, _ numbers: [Int?]) {
        var numbers = numbers.compactMap { $0 }
        if numbers.count == 2, numbers[0] == numbers[1] { numbers.removeLast() }
        if numbers.allSatisfy({ named.contains($0) }) { return }
        named.formUnion(numbers)
        result.violations.append(
            Violation(anomaly, "list \(key)", explanation, numbers.map { transactions[$0].index }))
    }
}
