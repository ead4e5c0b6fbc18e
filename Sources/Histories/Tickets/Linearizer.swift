import Tickets

/// Looks for an order of one ticket's operations, each at some moment between its invocation and its answer, in which
/// every answer is what `Tickets`' rules give.
///
/// Each ticket is an object of its own, so that a history is linearizable if and only if each ticket's is (Herlihy and
/// Wing, "Linearizability", TOPLAS 1990; Horn and Kroening, "Faster linearizability checking via P-compositionality",
/// FORTE 2015). For one of them it is the search of Wing and Gong, "Testing and verifying concurrent objects" (JPDC
/// 1993), in the form of Lowe, "Testing for linearizability" (CCPE 2017): it goes through the events in their order,
/// keeps all configurations that are possible, and puts an operation in place *just in time*, when one is answered that
/// can't be explained without it; configurations that were met already are not met again (Lowe; Horn and Kroening's
/// cache). Four departures:
/// - what only looks takes effect as soon as it can: it changes nothing, so any other order has one with it;
/// - a command of unknown outcome comes after an earlier one of the same effect and unknown outcome: they are alike;
/// - a ticket's revision only grows, so nothing is put before an answer that would lead past its revision;
/// - rows are only added, so the longest reading of them tells the order up to there.
struct Linearizer {
    enum Outcome: Equatable {
        case linearizable
        /// No order explains the answer to the item at this index; before it, the ticket could be in these states.
        case impossible(item: Int, states: [Ticket.Progress?])
        /// The effort was not enough.
        case undecided
    }

    /// A state with those operations done that are not answered yet.
    private struct Configuration: Hashable {
        var state: Int
        /// Items that will be answered, in ascending order.
        var done: [Int] = []
        /// How many of each kind of command of unknown outcome are done: always the first ones.
        var used: [Int]

        func contains(_ item: Int) -> Bool { done.contains(item) }

        mutating func insert(_ item: Int) {
            done.insert(item, at: done.firstIndex { $0 > item } ?? done.endIndex)
        }

        mutating func remove(_ item: Int) { done.removeAll { $0 == item } }
    }

    private let items: [TicketRecord.Item]
    private var model: TicketModel
    /// The number of each command in the model; -1 of what only looks.
    private var steps: [Int] = []
    private var effort: Int
    /// Invoked, and to be answered, in the order of their invocations.
    private var commands: [Int] = []
    private var looks: [Int] = []
    /// Kinds of commands of unknown outcome: the number in the model, and how many of them were invoked.
    private var kinds: [(step: Int, invoked: Int)] = []
    private var kindOfStep: [Int: Int] = [:]
    /// The numbers of the rows that the longest reading shows.
    private var guide: [Int] = []

    init(_ record: TicketRecord, effort: Int) {
        items = record.items
        self.effort = effort
        model = TicketModel(record.ticket, keepsRows: record.readsRows)
        for item in items {
            switch item.role {
            case .command(let step, let result):
                steps.append(model.number(of: step))
                if result == nil { addKind(steps[steps.count - 1]) }
            case .look(.refusal(let step, _)): steps.append(model.number(of: step))
            case .look(.rows(let rows)):
                steps.append(-1)
                if rows.count > guide.count { guide = rows.map { model.number(of: $0) } }
            case .look(.progress): steps.append(-1)
            }
        }
    }

    private mutating func addKind(_ step: Int) {
        guard kindOfStep[step] == nil else { return }
        kindOfStep[step] = kinds.count
        kinds.append((step, 0))
    }

    mutating func run() -> Outcome {
        var configurations = [Configuration(state: 0, used: Array(repeating: 0, count: kinds.count))]
        for (item, isAnswer) in events() {
            guard isAnswer else {
                invoke(item, &configurations)
                continue
            }
            guard let next = explain(item, configurations) else { return .undecided }
            guard !next.isEmpty else { return .impossible(item: item, states: states(configurations)) }
            configurations = next
            commands.removeAll { $0 == item }
            looks.removeAll { $0 == item }
        }
        return .linearizable
    }

    private mutating func invoke(_ item: Int, _ configurations: inout [Configuration]) {
        switch items[item].role {
        case .look:
            looks.append(item)
            for index in configurations.indices { look(&configurations[index], [item]) }
        case .command(_, nil):
            if let kind = kindOfStep[steps[item]] { kinds[kind].invoked += 1 }
        case .command: commands.append(item)
        }
    }

    private func events() -> [(item: Int, isAnswer: Bool)] {
        var events: [(line: Int, item: Int, isAnswer: Bool)] = []
        for (number, item) in items.enumerated() {
            events.append((item.invoked, number, false))
            if let line = item.completed { events.append((line, number, true)) }
        }
        return events.sorted { $0.line < $1.line }.map { ($0.item, $0.isAnswer) }
    }

    /// All configurations in which this item is done, reached with as little else as that needs. Nil: too many.
    private mutating func explain(_ answered: Int, _ configurations: [Configuration]) -> [Configuration]? {
        var found: [Configuration] = []
        var known: Set<Configuration> = []
        var seen: Set<Configuration> = []
        var open: [Configuration] = []
        for configuration in configurations {
            if configuration.contains(answered) {
                var next = configuration
                next.remove(answered)
                if known.insert(next).inserted { found.append(next) }
            } else {
                open.append(configuration)
            }
        }
        let limit = revisionLimit(answered)
        while let configuration = open.popLast() {
            for next in successors(of: configuration, before: answered, limit) {
                effort -= 1
                guard effort > 0 else { return nil }
                var next = next
                look(&next, looks)
                if next.contains(answered) {
                    next.remove(answered)
                    if known.insert(next).inserted { found.append(next) }
                } else if seen.insert(next).inserted {
                    open.append(next)
                }
            }
        }
        return found
    }

    /// What one more command can lead to.
    private mutating func successors(
        of configuration: Configuration, before answered: Int, _ limit: Int64?
    ) -> [Configuration] {
        var successors: [Configuration] = []
        for item in commands where !configuration.contains(item) {
            guard let state = result(of: item, in: configuration.state) else { continue }
            if item != answered, let limit, model.progress(state)?.revision ?? 0 > limit { continue }
            guard isAsRead(state, by: steps[item]) else { continue }
            var next = configuration
            next.state = state
            next.insert(item)
            successors.append(next)
        }
        for (kind, (step, invoked)) in kinds.enumerated() where configuration.used[kind] < invoked {
            guard case .becomes(let state) = model.transition(from: configuration.state, by: step) else { continue }
            if let limit, model.progress(state)?.revision ?? 0 > limit { continue }
            guard isAsRead(state, by: step) else { continue }
            var next = configuration
            next.state = state
            next.used[kind] += 1
            successors.append(next)
        }
        return successors
    }

    /// Whether this command made the row that the longest reading shows at this revision.
    private func isAsRead(_ state: Int, by step: Int) -> Bool {
        guard let revision = model.progress(state)?.revision, revision > 0, revision <= guide.count else { return true }
        return guide[Int(revision) - 1] == step
    }

    /// The highest revision that the ticket can have had just before.
    private func revisionLimit(_ item: Int) -> Int64? {
        switch items[item].role {
        case .command(_, let result): result.map { $0.revision - 1 }
        case .look(.progress(let progress)): progress?.revision ?? 0
        case .look(.rows(let rows)): Int64(rows.count)
        case .look(.refusal(_, .noSuchTicket)): 0
        case .look(.refusal): nil
        }
    }

    /// The state after a command, if it is granted there, and with the answer that it was given.
    private mutating func result(of item: Int, in state: Int) -> Int? {
        guard case .command(_, let told) = items[item].role,
            case .becomes(let next) = model.transition(from: state, by: steps[item])
        else { return nil }
        guard let told, let progress = model.progress(next) else { return nil }
        return told.state == progress.state && told.revision == progress.revision ? next : nil
    }

    /// Those take effect whose answer is right in this state.
    private mutating func look(_ configuration: inout Configuration, _ looks: [Int]) {
        for item in looks where !configuration.contains(item) && sees(item, configuration.state) {
            configuration.insert(item)
        }
    }

    private mutating func sees(_ item: Int, _ state: Int) -> Bool {
        switch items[item].role {
        case .command: false
        case .look(.progress(let progress)): model.progress(state) == progress
        case .look(.rows(let rows)): model.holds(rows, state)
        case .look(.refusal(_, let seen)): model.transition(from: state, by: steps[item]) == .refused(seen)
        }
    }

    private func states(_ configurations: [Configuration]) -> [Ticket.Progress?] {
        var states: [Ticket.Progress?] = []
        for configuration in configurations {
            let progress = model.progress(configuration.state)
            if !states.contains(progress) { states.append(progress) }
        }
        return states.sorted { ($0?.revision ?? 0, $0?.unit ?? "") < ($1?.revision ?? 0, $1?.unit ?? "") }
    }
}
