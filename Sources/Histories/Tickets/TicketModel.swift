import Tickets

/// What one ticket can be, explored as far as its history asks for: states, and what each command makes of them by
/// `Tickets`' own rules. So the checker can't have an opinion of its own about what is allowed.
struct TicketModel {
    private struct State: Hashable {
        /// Nil: it is not opened yet.
        var progress: Ticket.Progress?
        /// Index of the rows in `trails`; 0 while nobody reads them.
        var trail: Int
    }

    /// What a command makes of a state.
    enum Transition: Equatable {
        case becomes(Int)
        case refused(RefusedState?)
    }

    private struct Edge: Hashable {
        var from, by: Int
    }

    let ticket: TicketID
    /// The rows are part of the state, since somebody reads them.
    private let keepsRows: Bool
    private var states = [State(progress: nil, trail: 0)]
    private var numbers = [State(progress: nil, trail: 0): 0]
    private var transitions: [Edge: Transition] = [:]
    private var steps: [TicketStep] = []
    private var stepNumbers: [TicketStep: Int] = [:]
    /// Rows as a tree: each one knows what was before it.
    private var trails = [Edge(from: 0, by: 0)]
    private var trailNumbers: [Edge: Int] = [:]

    init(_ ticket: TicketID, keepsRows: Bool) { (self.ticket, self.keepsRows) = (ticket, keepsRows) }

    /// The number of a command. Commands that nobody can tell apart have the same one.
    mutating func number(of step: TicketStep) -> Int {
        let step = keepsRows || step.action == .dispatch ? step : TicketStep(step.action)
        if let known = stepNumbers[step] { return known }
        stepNumbers[step] = steps.count
        steps.append(step)
        return steps.count - 1
    }

    func progress(_ state: Int) -> Ticket.Progress? { states[state].progress }

    mutating func transition(from state: Int, by step: Int) -> Transition {
        let edge = Edge(from: state, by: step)
        if let known = transitions[edge] { return known }
        let found = decide(edge)
        transitions[edge] = found
        return found
    }

    private mutating func decide(_ edge: Edge) -> Transition {
        do throws(Refusal) {
            let command = steps[edge.by].command(on: ticket)
            let change = try command.decided(on: states[edge.from].progress, by: "–", at: 0)
            var next = State(progress: change.progress, trail: 0)
            if keepsRows { next.trail = trail(after: states[edge.from].trail, edge.by) }
            if let known = numbers[next] { return .becomes(known) }
            numbers[next] = states.count
            states.append(next)
            return .becomes(states.count - 1)
        } catch {
            if case .failed(let state) = Outcome(error) { return .refused(state) }
            return .refused(nil)
        }
    }

    private mutating func trail(after trail: Int, _ step: Int) -> Int {
        let edge = Edge(from: trail, by: step)
        if let known = trailNumbers[edge] { return known }
        trailNumbers[edge] = trails.count
        trails.append(edge)
        return trails.count - 1
    }

    /// Whether these are the rows of the state.
    func holds(_ rows: [TicketStep], _ state: Int) -> Bool {
        guard states[state].progress?.revision ?? 0 == Int64(rows.count) else { return false }
        var trail = states[state].trail
        for row in rows.reversed() {
            guard trail > 0, steps[trails[trail].by] == row else { return false }
            trail = trails[trail].from
        }
        return trail == 0
    }
}
