import Tickets

/// Sets to which elements are only added: each that was answered is in every read that begins later, once, and no other
/// is. The tickets themselves are one: opening one adds it, a list reads all. After Jepsen's checker `set-full`, and
/// beyond it: any two reads must agree on which of two elements came first.
struct SetChecker {
    private struct Reading {
        var index: Int
        var elements: Bits
        /// How many of those that became certain it has to have.
        var needed = 0
        /// The element that says so, if it is not the read's own beginning.
        var dueTo: Int?
    }

    /// One set, in the making. Elements are numbered as they appear.
    private struct OneSet {
        var name: String
        var numbers: [Label: Int] = [:]
        var labels: [Label] = []
        /// Operations that add an element, by its number.
        var adds: [[Int]] = []
        var failedAdds: [[Int]] = []
        /// Asked for by now.
        var possible = Bits()
        /// Answered, or seen in a read that is answered, in this order.
        var certain: [Int] = []
        /// How many were certain when this element was first asked for.
        var certainBefore: [Int: Int] = [:]
        /// The operation that made it certain.
        var witness: [Int: Int] = [:]
        /// How many were certain when this read began.
        var underWay: [Int: Int] = [:]
        var readings: [Reading] = []
        var reported: Set<Int> = []

        mutating func number(_ label: Label) -> Int {
            if let known = numbers[label] { return known }
            numbers[label] = labels.count
            labels.append(label)
            adds.append([])
            failedAdds.append([])
            return labels.count - 1
        }
    }

    private let history: History
    private var result = CheckResult(.sets)
    private var sets: [OneSet] = []
    private var places: [Label?: Int] = [:]

    init(_ history: History) { self.history = history }

    consuming func check() -> CheckResult {
        for (index, isAnswer) in history.eventOrder(where: { Self.part($0) != nil }) {
            let operation = history.operations[index]
            guard let part = Self.part(operation) else { continue }
            let place = place(of: part.set)
            if isAnswer { answer(operation, index, part, place) } else { invoke(operation, index, part, place) }
        }
        for place in sets.indices where !sets[place].readings.isEmpty { judge(place) }
        let read = sets.filter { !$0.readings.isEmpty }
        result.operations = read.reduce(0) { sum, set in
            sum + set.adds.reduce(0) { $0 + $1.count } + set.failedAdds.reduce(0) { $0 + $1.count } + set.readings.count
        }
        result.remark = read.map { "\($0.readings.count) reads of \($0.name)" }.joined(separator: ", ")
        return result
    }

    /// What an operation is to a set. The set nil is that of the tickets; the element nil reads.
    private static func part(_ operation: Operation) -> (set: Label?, element: Label?)? {
        switch operation.call {
        case .add(let set, let element): (set, element)
        case .elements(let set): (set, nil)
        case .command(let ticket, let step) where step.action == .open: (nil, .text("\(ticket)"))
        case .list: (nil, nil)
        default: nil
        }
    }

    private mutating func place(of set: Label?) -> Int {
        if let known = places[set] { return known }
        places[set] = sets.count
        sets.append(OneSet(name: set.map { "set \($0)" } ?? "the tickets"))
        return sets.count - 1
    }

    private mutating func invoke(
        _ operation: Operation, _ index: Int, _ part: (set: Label?, element: Label?), _ place: Int
    ) {
        guard let element = part.element else {
            sets[place].underWay[index] = sets[place].certain.count
            return
        }
        let number = sets[place].number(element)
        if case .failed = operation.outcome {
            sets[place].failedAdds[number].append(index)
        } else {
            sets[place].adds[number].append(index)
            if sets[place].possible.insert(number) { sets[place].certainBefore[number] = sets[place].certain.count }
        }
    }

    private mutating func answer(
        _ operation: Operation, _ index: Int, _ part: (set: Label?, element: Label?), _ place: Int
    ) {
        switch operation.outcome {
        case .ok(.elements(let elements)): read(elements, index, place)
        case .ok(.tickets(let tickets)): read(tickets.map { .text("\($0)") }, index, place)
        case .ok:
            guard let element = part.element else { return }
            makeCertain(sets[place].number(element), by: index, place)
        // That it exists already is seen of it, by a refusal as well as by a read.
        case .failed(.ticketExists):
            if let element = part.element { makeCertain(sets[place].number(element), by: index, place) }
        case .failed, .unknown: break
        }
    }

    private mutating func makeCertain(_ number: Int, by index: Int, _ place: Int) {
        guard sets[place].witness[number] == nil else { return }
        sets[place].certain.append(number)
        sets[place].witness[number] = index
    }

    private mutating func read(_ elements: [Label], _ index: Int, _ place: Int) {
        var reading = Reading(index: index, elements: Bits(), needed: sets[place].underWay[index] ?? 0)
        for element in elements {
            let number = sets[place].number(element)
            if !reading.elements.insert(number) {
                let adds = sets[place].adds[number]
                report(.duplicated, number, place, "is there more than once in one read", adds + [index])
            }
        }
        for number in reading.elements.subtracting(sets[place].possible) {
            let failed = sets[place].failedAdds[number]
            if failed.isEmpty {
                report(.phantom, number, place, "is there, and nobody had asked for it by then", [index])
            } else {
                report(
                    .abortedRead, number, place, "is there, though it was answered that it was not added",
                    failed + [index])
            }
        }
        // What was certain before one of its elements was asked for came before that one.
        for number in reading.elements {
            if let needed = sets[place].certainBefore[number], needed > reading.needed {
                (reading.needed, reading.dueTo) = (needed, number)
            }
        }
        sets[place].readings.append(reading)
        for number in reading.elements { makeCertain(number, by: index, place) }
    }

    /// What only all reads together tell.
    private mutating func judge(_ place: Int) {
        let set = sets[place]
        for (number, reading) in set.readings.enumerated() {
            for element in set.certain.prefix(reading.needed) where !reading.elements.contains(element) {
                guard let witness = set.witness[element] else { continue }
                let isBack = set.readings[number...].contains { $0.elements.contains(element) }
                let wasRead = history.operations[witness].call.isRead
                let wasAnswered = set.adds[element].contains { history.operations[$0].completed != nil }
                let anomaly: Anomaly = isBack ? .staleRead : wasRead && !wasAnswered ? .dirtyRead : .lost
                let before = wasRead ? "had been read" : "had been answered"
                let end = reading.dueTo.map {
                    "\(set.labels[$0]) was asked for, which this read shows, and not the other"
                }
                let later = isBack ? "though a later one does" : "nor does any later one"
                report(
                    anomaly, element, place,
                    "\(before) before \(end ?? "this read began, which does not show it"), \(later)",
                    [witness] + (reading.dueTo.flatMap { set.adds[$0].first }.map { [$0] } ?? []) + [reading.index])
            }
        }
        // Of reads in the order of their size, each must hold the one before: two that don't saw two elements in
        // opposite orders.
        let reported = sets[place].reported
        let bySize = set.readings.sorted { ($0.elements.count, $0.index) < ($1.elements.count, $1.index) }
        for (smaller, larger) in zip(bySize, bySize.dropFirst()) {
            guard let here = smaller.elements.subtracting(larger.elements).first(where: { !reported.contains($0) }),
                let there = larger.elements.subtracting(smaller.elements).first(where: { !reported.contains($0) })
            else { continue }
            let words = "one read shows \(set.labels[here]) and not \(set.labels[there]), the other the reverse"
            result.violations.append(
                Violation(
                    .longFork, set.name, words,
                    [set.adds[here].first, set.adds[there].first, smaller.index, larger.index].compactMap { $0 }))
        }
    }

    /// Once for each element.
    private mutating func report(
        _ anomaly: Anomaly, _ number: Int, _ place: Int, _ explanation: String, _ operations: [Int]
    ) {
        guard sets[place].reported.insert(number).inserted else { return }
        let label = sets[place].labels[number]
        result.violations.append(
            Violation(anomaly, sets[place].name, "\(label) \(explanation)", Array(operations.prefix(20))))
    }
}

extension Call {
    fileprivate var isRead: Bool {
        switch self {
        case .list, .elements: true
        default: false
        }
    }
}
