/// One transaction on append lists, as far as it matters to the others.
struct ListTransaction {
    /// In the history.
    var index: Int
    var operation: Operation
    /// It happened: it was answered, or one of its appends was seen.
    var happened: Bool
    /// What it appended to each key, in its order.
    var appends: [Label: [Label]] = [:]
    /// What it found at each key of the others' work, in the order of its reads. Empty without an answer.
    var reads: [(key: Label, elements: [Label])] = []
    /// What it saw of each key, its own appends with it.
    var views: [(key: Label, elements: [Label])] = []
    /// A read of this key does not show the transaction's own appends, or shows them before they were made.
    var contradictsItself: Label?

    /// Nil: no transaction.
    init?(_ operation: Operation, _ index: Int) {
        guard case .transaction(var steps) = operation.call else { return nil }
        happened = false
        if case .ok(let answer) = operation.outcome {
            happened = true
            if case .transaction(let answered) = answer { steps = answered }
        }
        (self.index, self.operation) = (index, operation)
        for step in steps { add(step, of: steps) }
    }

    var failed: Bool { if case .failed = operation.outcome { true } else { false } }

    private mutating func add(_ step: ListStep, of steps: [ListStep]) {
        switch step {
        case .append(let key, let value): appends[key, default: []].append(value)
        case .read(let key, let elements):
            guard let elements, happened else { return }
            views.append((key, elements))
            let own = appends[key] ?? []
            let others = elements.dropLast(own.count)
            let mine = steps.contains { if case .append(key, let value) = $0 { others.contains(value) } else { false } }
            if elements.count < own.count || !elements.suffix(own.count).elementsEqual(own) || mine {
                contradictsItself = contradictsItself ?? key
            } else {
                reads.append((key, Array(others)))
            }
        }
    }
}

/// In which order the elements of one key were appended: what its longest read shows. Every other read has to be a
/// beginning of it.
struct VersionOrder {
    var elements: [Label] = []
    /// The transaction that shows it, by its number.
    var witness: Int?
}
