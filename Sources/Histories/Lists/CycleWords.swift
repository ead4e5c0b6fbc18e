/// A cycle as a violation: which it is, and in words why its transactions can't all be right.
struct CycleWords {
    private let cycle: CycleSearch.Cycle
    private let transactions: [ListTransaction]
    private let orders: [Label: VersionOrder]
    /// Steps between transactions; what led over a helping node, or along several answers, is one.
    private let steps: [CycleSearch.Cycle.Step]

    init(_ cycle: CycleSearch.Cycle, _ transactions: [ListTransaction], _ orders: [Label: VersionOrder]) {
        (self.cycle, self.transactions, self.orders) = (cycle, transactions, orders)
        var steps = cycle.steps
        // It begins with a transaction that a step of another kind than the one before leads away from.
        if let start = steps.indices.first(where: { index in
            let before = steps[(index + steps.count - 1) % steps.count]
            return steps[index].from < transactions.count
                && (steps[index].kind != .realTime || before.kind != .realTime)
        }) {
            steps = Array(steps[start...] + steps[..<start])
        }
        var merged: [CycleSearch.Cycle.Step] = []
        for step in steps {
            let isHelp = step.from >= transactions.count
            if !isHelp, step.kind != .realTime || merged.last?.kind != .realTime { merged.append(step) }
        }
        self.steps = merged
    }

    /// The transactions, in the order of the cycle.
    var numbers: [Int] { steps.map(\.from) }

    var violation: Violation {
        let keys = steps.compactMap(\.key).reduce(into: [Label]()) { keys, key in
            if !keys.contains(key) { keys.append(key) }
        }
        let names = keys.prefix(4).map(\.description).joined(separator: " and ")
        return Violation(
            anomaly, keys.count == 1 ? "list \(names)" : "lists \(names)", explanation,
            numbers.map { transactions[$0].index })
    }

    private var anomaly: Anomaly {
        let kinds = steps.map(\.kind)
        let anti = kinds.indices.filter { kinds[$0] == .antiDependency }
        if kinds.contains(.realTime) {
            if steps.indices.contains(where: leadsToUnseen) { return .lost }
            return anti.count == 1 && !kinds.contains(.read) ? .staleRead : .realTimeCycle
        }
        switch anti.count {
        case 0: return kinds.contains(.read) ? .circularFlow : .writeCycle
        case 1:
            // Two that both read the same and then append to it.
            let isOneList = Set(steps.compactMap(\.key)).count == 1
            return isOneList && steps.count == 2 && kinds.contains(.write) ? .lostUpdate : .readSkew
        default:
            let isAdjacent = anti.contains { kinds[($0 + 1) % kinds.count] == .antiDependency }
            if isAdjacent { return steps.count == 2 ? .writeSkew : .antiDependencyCycle }
            return kinds.contains(.read) && !kinds.contains(.write) ? .longFork : .antiDependencyCycle
        }
    }

    /// What the next one appended there, no read ever shows.
    private func leadsToUnseen(_ step: Int) -> Bool {
        guard let key = steps[step].key, steps[step].kind != .read else { return false }
        let writer = transactions[steps[(step + 1) % steps.count].from]
        let seen = Set(orders[key]?.elements ?? [])
        return !(writer.appends[key] ?? []).contains { seen.contains($0) }
    }

    private var explanation: String {
        let letters = steps.indices.map { "T\($0 + 1)" }
        let parts = steps.indices.map { index in
            let (from, to) = (letters[index], letters[(index + 1) % letters.count])
            let key = steps[index].key.map(\.description) ?? ""
            return switch steps[index].kind {
            case .write where leadsToUnseen(index): "what \(from) appended to \(key) is seen, and never what \(to) did"
            case .write: "\(from) appended to \(key) before \(to)"
            case .read: "\(to) saw what \(from) appended to \(key)"
            case .antiDependency: "\(from) did not see what \(to) appended to \(key)"
            case .realTime: "\(from) was answered before \(to) began"
            }
        }
        return parts.joined(separator: "; ")
    }
}
