import Histories
import TestSupport
import Tickets

/// A history told step by step; each step is a line, and a microsecond later than the one before.
struct Story {
    private(set) var history = History()
    private var time: Int64 = 0

    mutating func begin(_ process: Int, _ call: Call) throws {
        time += 1000
        try history.invoke(call, by: process, at: time)
    }

    mutating func end(_ process: Int, _ outcome: Outcome) throws {
        time += 1000
        try history.complete(outcome, by: process, at: time)
    }

    /// Begun and ended, with nothing in between.
    mutating func did(_ process: Int, _ call: Call, _ outcome: Outcome) throws {
        try begin(process, call)
        try end(process, outcome)
    }

    mutating func pause(milliseconds: Int64) { time += milliseconds * 1_000_000 }

    var verdict: Verdict { HistoryChecker().check(history) }

    /// What is wrong, in the order in which it was found.
    var anomalies: [Anomaly] { verdict.violations.map(\.anomaly) }
}

let ticket = TicketID(high: 0x0132_0f77_1e40_0001, low: 2)

/// On that ticket.
func command(_ action: HistoryRow.Action, _ detail: String = "") -> Call {
    .command(ticket, TicketStep(action, detail))
}

let show = Call.show(ticket, .latest)

func done(_ state: Ticket.State, _ revision: Int64) -> Outcome { .ok(.advanced(state: state, revision: revision)) }

func shown(_ state: Ticket.State, _ revision: Int64, unit: String = "") -> Outcome {
    .ok(.ticket(Sighting(Ticket.Progress(state: state, unit: unit, revision: revision))))
}

let shownNone = Outcome.ok(.ticket(Sighting(nil)))

extension SeededRandom {
    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}
