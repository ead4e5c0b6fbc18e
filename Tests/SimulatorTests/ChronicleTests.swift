import Histories
import Testing
import Tickets
import Wire

@testable import Seat
@testable import Simulator

/// What a simulated seat asks and is told becomes a history, and a wrong one is a violation.
@Suite struct ChronicleTests {
    private static let ticket = TicketID(high: 1, low: 2)
    private let world: World
    private var chronicle: Chronicle { world.desk.chronicle }

    /// Nothing happens in it but what a test says.
    init() throws { world = try World(seed: 1) }

    private func operation(_ number: UInt64, _ wish: Simulator.Operation.Wish) -> Simulator.Operation {
        Simulator.Operation(number, .seat(0), 0, wish, patience: 500)
    }

    private func did(_ number: UInt64, _ wish: Simulator.Operation.Wish, _ outcome: SeatSession.Outcome) {
        let operation = operation(number, wish)
        chronicle.asked(operation)
        chronicle.heard(outcome, of: operation)
    }

    private static let open = Simulator.Operation.Wish.command(
        .open(OpenTicket(id: ticket, openedAt: 0, category: "lights", text: "x")))
    private static func note(_ text: String) -> Simulator.Operation.Wish { .command(.note(ticket, text: text)) }
    private static let show = Simulator.Operation.Wish.read(.show(ticket), .latest)

    private static func done(_ revision: Int64) -> SeatSession.Outcome {
        .done(Done(ticket: ticket, state: .open, revision: revision))
    }

    private static func found(_ revision: Int64) -> Ticket {
        Ticket(
            id: ticket, state: .open, openedAt: 0, channel: .other, caller: "", category: "lights", district: "",
            priority: .normal, confidential: false, text: "x", deadline: nil, unit: "", revision: revision)
    }

    private static func shown(_ revision: Int64) -> SeatSession.Outcome {
        .view(.ticket(found(revision)), Origin(Twinline_Seat_V1_ReadAnswer()))
    }

    @Test("what is told as it was is no violation")
    func right() {
        did(1, Self.open, Self.done(1))
        did(2, Self.note("2"), Self.done(2))
        did(3, Self.show, Self.shown(2))
        #expect(chronicle.history.operations.count == 3)
        #expect(chronicle.violation() == nil)
    }

    @Test("a stale answer is one")
    func stale() {
        did(1, Self.open, Self.done(1))
        did(2, Self.note("2"), Self.done(2))
        did(3, Self.show, Self.shown(1))
        #expect(chronicle.violation()?.hasPrefix("HISTORY: stale read, ticket \(Self.ticket)") == true)
    }

    @Test("a ticket that was opened, and is not there in the end, is one")
    func lost() throws {
        did(1, Self.open, Self.done(1))
        try chronicle.lookUp { _ in [.tickets([])] }
        #expect(chronicle.violation()?.hasPrefix("HISTORY: lost, the tickets") == true)
    }

    @Test("so is a note that is not among its rows")
    func lostNote() throws {
        did(1, Self.open, Self.done(1))
        did(2, Self.note("2"), Self.done(2))
        let row = HistoryRow(
            ticket: Self.ticket, revision: 1, at: 0, actor: "seat/s1", action: .open, state: .open, unit: "", note: "")
        try chronicle.lookUp { (queries: [Query]) -> [View] in
            guard case .list(_, _, let before, _, _) = queries[0] else { return [.history([row])] }
            return [.tickets(before == nil ? [Self.found(2)] : [])]
        }
        #expect(chronicle.violation()?.hasPrefix("HISTORY: lost, ticket \(Self.ticket): note") == true)
    }

    @Test("what is asked again under its name is one operation, from its first asking to its answer")
    func again() throws {
        did(1, Self.open, Self.done(1))
        let note = operation(2, Self.note("2"))
        chronicle.asked(note)
        chronicle.heard(.failed(.unknown(RequestName(session: 1, sequence: 2))), of: note)
        note.name = RequestName(session: 1, sequence: 2)
        // Either is right while nobody knows.
        did(3, Self.show, Self.shown(1))
        did(4, Self.show, Self.shown(2))
        chronicle.asked(note)
        chronicle.heard(Self.done(2), of: note)
        #expect(chronicle.violation() == nil)
        let told = chronicle.history.operations[1]
        #expect(chronicle.history.operations.count == 4 && told.invoked.line == 3 && told.completed?.line == 8)
        did(5, Self.show, Self.shown(1))
        #expect(chronicle.violation()?.contains("stale read") == true)
    }

    @Test("what was answered with 'did not happen' after it had been unknown may have happened")
    func unreachable() {
        did(1, Self.open, Self.done(1))
        let note = operation(2, Self.note("2"))
        chronicle.asked(note)
        chronicle.heard(.failed(.unknown(RequestName(session: 1, sequence: 2))), of: note)
        note.name = RequestName(session: 1, sequence: 2)
        chronicle.asked(note)
        chronicle.heard(.failed(.unreachable), of: note)
        did(3, Self.show, Self.shown(2))
        #expect(chronicle.violation() == nil)
        did(4, Self.note("4"), .failed(.unreachable))
        did(5, Self.show, Self.shown(3))
        #expect(chronicle.violation() != nil, "this one was asked once")
    }

    @Test("of what a forced act has lost nothing is promised, nor of anything after it")
    func forced() {
        did(1, Self.open, Self.done(1))
        world.desk.lost()
        did(2, Self.show, .view(.ticket(nil), Origin(Twinline_Seat_V1_ReadAnswer())))
        #expect(chronicle.history.operations.count == 1 && chronicle.violation() == nil)
    }

    @Test("a whole run's history is right, the same each time, and can be read back")
    func run() throws {
        let verdict = simulate(seed: 5)
        let lines = HistoryFormat.lines(of: verdict.history)
        #expect(verdict.history.operations.count > 100)
        #expect(lines == HistoryFormat.lines(of: simulate(seed: 5).history))
        let read = try HistoryFormat.read(lines)
        #expect(read.operations.map(\.call) == verdict.history.operations.map(\.call))
        #expect(read.operations.map(\.outcome) == verdict.history.operations.map(\.outcome))
        #expect(read.operations.contains { if case .history = $0.call { true } else { false } })
        #expect(HistoryChecker().check(read).isGood)
    }
}
