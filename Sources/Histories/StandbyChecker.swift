import Tickets

/// Reads of tickets at the standby: they may be old, but not older than they say, they never show what was not asked
/// for yet, and of two that say where they stood, the further one shows no less.
struct StandbyChecker {
    /// One ticket's commands and standby reads.
    private struct OneTicket {
        var reads: [Int] = []
        /// Commands that may have happened, in the order of their invocations.
        var commands: [Int] = []
    }

    private let history: History
    private let ageLimit: Int64?
    private var result = CheckResult(.standby)
    /// The greatest age that any read is known to have had, in nanoseconds.
    private var oldest: Int64 = 0
    private var claims = 0

    init(_ history: History, ageLimit: Int64?) { (self.history, self.ageLimit) = (history, ageLimit) }

    consuming func check() -> CheckResult {
        var tickets: [TicketID: OneTicket] = [:]
        var order: [TicketID] = []
        for (index, operation) in history.operations.enumerated() {
            guard case .show(let ticket, .standby) = operation.call, case .ok = operation.outcome else { continue }
            if tickets[ticket] == nil { order.append(ticket) }
            tickets[ticket, default: OneTicket()].reads.append(index)
            result.operations += 1
        }
        guard !tickets.isEmpty else { return result }
        for (index, operation) in history.operations.enumerated() {
            guard case .command(let ticket, _) = operation.call, tickets[ticket] != nil else { continue }
            if case .failed = operation.outcome { continue }
            tickets[ticket]?.commands.append(index)
        }
        for ticket in order { if let one = tickets[ticket] { check(ticket, one) } }
        let bounds = claims == 0 && ageLimit == nil ? "; no read says how old it may be" : ""
        result.remark = "the oldest answer at least \(oldest.asDuration) old\(bounds)"
        return result
    }

    private mutating func check(_ ticket: TicketID, _ one: OneTicket) {
        // Who made which revision, as far as that was answered.
        var makers: [Int64: Int] = [:]
        for index in one.commands {
            if let result = history.operations[index].result { makers[result.revision] = index }
        }
        // In the order of their answers: the highest revision answered by then.
        let answers = one.commands.compactMap { index -> (time: Int64, revision: Int64, index: Int)? in
            guard let end = history.operations[index].completed, let result = history.operations[index].result
            else { return nil }
            return (end.time, result.revision, index)
        }.sorted { ($0.time, $0.revision) < ($1.time, $1.revision) }
        for index in one.reads {
            guard case .ok(.ticket(let sighting)) = history.operations[index].outcome else { continue }
            let revision = sighting.progress?.revision ?? 0
            if !checkOrigin(ticket, index, sighting, makers[revision], one.commands) { continue }
            checkAge(ticket, index, sighting, answers)
        }
        checkPositions(ticket, one.reads)
    }

    /// Whether what it shows had been asked for, and was made so. False: it is not worth to ask further.
    private mutating func checkOrigin(
        _ ticket: TicketID, _ index: Int, _ sighting: Sighting, _ maker: Int?, _ commands: [Int]
    ) -> Bool {
        guard let shown = sighting.progress, let end = history.operations[index].completed?.line else { return true }
        let asked = commands.filter { history.operations[$0].invoked.line < end }
        if asked.count < Int(clamping: shown.revision) {
            add(
                .phantom, ticket,
                "revision \(shown.revision) is the work of \(shown.revision) commands, and only \(asked.count) had "
                    + "been asked for by then", [index])
            return false
        }
        guard let maker, let told = history.operations[maker].result else { return true }
        if history.operations[maker].invoked.line > end {
            add(
                .phantom, ticket, "it shows revision \(shown.revision), which was asked for only later", [maker, index])
            return false
        }
        if told.state != shown.state {
            add(
                .notLinearizable, ticket,
                "revision \(shown.revision) was answered as \(told.state), and is shown as \(shown.state)",
                [maker, index])
            return false
        }
        return true
    }

    private mutating func checkAge(
        _ ticket: TicketID, _ index: Int, _ sighting: Sighting,
        _ answers: [(time: Int64, revision: Int64, index: Int)]
    ) {
        let begun = history.operations[index].invoked.time
        let shown = sighting.progress?.revision ?? 0
        guard let newer = answers.first(where: { $0.revision > shown && $0.time < begun }) else {
            if sighting.age != nil { claims += 1 }
            return
        }
        let age = begun - newer.time
        oldest = max(oldest, age)
        if sighting.age != nil { claims += 1 }
        guard let allowed = sighting.age ?? ageLimit, age > allowed else { return }
        let bound = sighting.age == nil ? "allowed are" : "it says that it is at most"
        add(
            .tooOld, ticket,
            "revision \(newer.revision) had been answered \(age.asDuration) before the read began, which shows "
                + "revision \(shown); \(bound) \(allowed.asDuration)", [newer.index, index])
    }

    /// Positions tell how far the standby's database was: a further one holds all that a nearer one does.
    private mutating func checkPositions(_ ticket: TicketID, _ reads: [Int]) {
        var placed: [(position: SeenPosition, revision: Int64, index: Int)] = []
        for index in reads {
            guard case .ok(.ticket(let sighting)) = history.operations[index].outcome, let position = sighting.position
            else { continue }
            placed.append((position, sighting.progress?.revision ?? 0, index))
        }
        placed.sort { ($0.position, $0.revision, $0.index) < ($1.position, $1.revision, $1.index) }
        for (near, far) in zip(placed, placed.dropFirst()) {
            if near.position == far.position, near.revision != far.revision {
                add(.notLinearizable, ticket, "two revisions at one position", [near.index, far.index])
            } else if near.revision > far.revision {
                add(
                    .lost, ticket,
                    "revision \(near.revision) is there at LSN \(near.position.lsn), and not at \(far.position.lsn)",
                    [near.index, far.index])
            }
        }
    }

    private mutating func add(_ anomaly: Anomaly, _ ticket: TicketID, _ explanation: String, _ operations: [Int]) {
        result.violations.append(Violation(anomaly, "ticket \(ticket) at the standby", explanation, operations))
    }
}

extension Operation {
    /// What a command's answer says of its ticket.
    fileprivate var result: (state: Ticket.State, revision: Int64)? {
        if case .ok(.advanced(let state, let revision)) = outcome { (state, revision) } else { nil }
    }
}

extension Int64 {
    /// Of nanoseconds: "3.207 ms".
    package var asDuration: String {
        let (unit, name): (Int64, String) =
            magnitude < 1000
            ? (1, "ns")
            : magnitude < 1_000_000
                ? (1000, "µs")
                : magnitude < 1_000_000_000 ? (1_000_000, "ms") : (1_000_000_000, "s")
        guard unit > 1 else { return "\(self) ns" }
        let thousandths = self / (unit / 1000)
        let fraction = String((thousandths % 1000).magnitude)
        return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction) \(name)"
    }
}
