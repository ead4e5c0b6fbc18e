import Daemon
import Foundation
import Histories
import Replication
import Seat
import Tickets

/// A pair that is drilled, with seats at work: what any drill needs, on hosts of its own or on a user's.
class DrilledPair {
    struct Mark: Equatable, Sendable {
        /// Nanoseconds of the monotonic clock.
        var at: UInt64
        var text: String
    }

    let view: PairView
    let seats: DrillSeats
    /// Not one of those at work: what it asks for is no part of the load.
    let probe: SeatClient
    /// Everybody's numbers in the history.
    let clients: DrillClients
    private let say: (String) -> Void

    /// As it was when the present fault began.
    var primary = NodeName.a
    var marks: [Mark] = []
    /// When what was broken was whole again. Nil: not yet.
    var mended: UInt64?
    /// What a seat is told while too much is lost, and what `twinline status` says then.
    var refusal: String?

    /// Nothing that a fault waits for takes longer.
    static let limit = Duration.seconds(60)

    init(view: PairView, seats: DrillSeats, probe: SeatClient, say: @escaping (String) -> Void) {
        (self.view, self.seats, self.probe, self.say) = (view, seats, probe, say)
        clients = DrillClients(seats: seats.count)
    }

    var history: RunHistory { seats.journal.history }

    var standby: NodeName { primary.other }

    func mark(_ text: String) {
        marks.append(Mark(at: monotonicNow().nanoseconds, text: text))
        say(text)
    }

    /// From here the time to paired is counted.
    func mend(_ text: String) {
        mark(text)
        mended = monotonicNow().nanoseconds
    }

    func hold(_ time: Duration) async throws { try await Task.sleep(for: time) }

    func wait(
        for what: String, within limit: Duration = limit, until condition: (PairView.Sight) -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while true {
            let sight = await view.look()
            if condition(sight) { return }
            guard ContinuousClock.now < deadline else {
                throw Failure("waited in vain for \(what): \(sight.verdict)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    func waitUntilPaired() async throws { try await wait(for: "the pair to be paired") { $0.isPaired } }

    /// Seats are answered, so many times more.
    func waitForAnswers(_ count: Int = 30, within limit: Duration = limit) async throws {
        let start = monotonicNow().nanoseconds
        let deadline = ContinuousClock.now + limit
        var seen = seats.journal.count
        var answered = 0
        while answered < count {
            guard ContinuousClock.now < deadline else {
                throw Failure("no seat was answered any more; of connections \(await seats.connectionsInWords())")
            }
            try await Task.sleep(for: .milliseconds(10))
            let new = seats.journal.operations(from: seen)
            seen += new.count
            answered += new.count { seats.counts($0) && $0.completed > start }
        }
    }

    /// Asks for a ticket as a seat with little patience, and asks the pair how it stands.
    /// - Parameter patience: so long it may take until the loss shows: until then tickets are answered.
    func askInVain(within patience: Duration = .zero) async throws {
        let deadline = ContinuousClock.now + patience
        repeat { try await askOnce() } while refusal == nil && ContinuousClock.now < deadline
    }

    private func askOnce() async throws {
        let id = TicketID(
            milliseconds: wallClockNow(), random: (.random(in: 0 ... .max), .random(in: 0 ... .max)))
        let open = OpenTicket(id: id, openedAt: wallClockNow(), category: "Drill", text: "Asked for with two lost")
        let told = await history.record(.command(id, TicketStep(.open)), by: clients.probe) {
            () async throws(SeatError) in Histories.Answer(try await probe.perform(.open(open), within: .seconds(1)))
        }
        refusal = nil
        guard let error = told.error else { return }
        let verdict = await view.look().verdict
        refusal = "a seat with a second's patience: \(error) `twinline status`: \(verdict)"
    }

    func switchOver() async throws {
        let from = primary
        mark("switchover away from node \(from)")
        let answer = try await view.switchOver(from: from)
        guard answer.accepted else { throw Failure("node \(from) refused to hand over: \(answer.text)") }
        try await wait(for: "node \(from.other) to lead") { $0.primary == from.other }
    }

    /// Waits until the pair has gone on without that part.
    func waitForLoss(of part: PairPart) async throws {
        switch part {
        case .primary:
            let node = standby
            try await wait(for: "node \(node) to take over") { $0.primary == node }
            try await waitForAnswers()
        case .standby:
            let node = primary
            try await wait(for: "node \(node) to go on alone") {
                $0.primary == node && $0.primaryStatus?.mode == "solo"
            }
            try await waitForAnswers()
        case .witness:
            try await wait(for: "the loss of the witness to be noticed") { !$0.isPaired }
            try await waitForAnswers()
        }
    }
}
