import Replication
import Tickets
import Wire

@testable import Seat

let a0 = Link(.a, route: 0), a1 = Link(.a, route: 1), b0 = Link(.b, route: 2), b1 = Link(.b, route: 3)
let e1 = Epoch(1), e2 = Epoch(2)

/// A session with a clock in hand, two nodes and two routes to each.
struct Dialogue {
    var seat: SeatSession
    var now = Instant(nanoseconds: 1_000_000_000)
    private var calls: UInt64 = 0

    init(memory: SeatMemory? = nil, timings: SeatTimings = SeatTimings()) {
        seat = SeatSession(links: [a0, a1, b0, b1], memory: memory, seed: 1, timings: timings)
        _ = seat.start(at: now)
    }

    /// All connected; A leads, with session 7 open, and routes 0 and 2 are the faster ones.
    static func settled(timings: SeatTimings = SeatTimings()) -> Dialogue {
        var dialogue = Dialogue(timings: timings)
        for link in [a0, a1, b0, b1] { dialogue.connect(link, link.node == .a ? .primary : .standby, e1) }
        let opening = dialogue.perform(note).sent.first
        if case .request(let request) = opening?.message {
            let opening = RequestName(session: 0, sequence: Int64(request.sequence))
            dialogue.receive(.answered(opening, .sessionOpened(7)), a0)
        }
        dialogue.receive(.answered(RequestName(session: 7, sequence: 1), .done(done)), a0)
        return dialogue
    }

    @discardableResult mutating func connect(
        _ link: Link, _ role: Standing.Role, _ epoch: Epoch
    ) -> [SeatSession.Directive] {
        let hello = seat.connected(link, at: now)
        pass(microseconds: [a0, b0].contains(link) ? 100 : 300)
        return hello + receive(.welcome(pair: pair, Standing(role, epoch)), link)
    }

    mutating func pass(microseconds: UInt64) { now = Instant(nanoseconds: now.nanoseconds + microseconds * 1000) }
    mutating func pass(milliseconds: UInt64) { pass(microseconds: milliseconds * 1000) }

    @discardableResult mutating func receive(_ message: FromNode, _ link: Link) -> [SeatSession.Directive] {
        seat.receive(message, on: link, at: now)
    }

    mutating func lose(_ link: Link, _ loss: SeatSession.Loss = .failed) -> [SeatSession.Directive] {
        seat.disconnected(link, loss, at: now)
    }

    mutating func perform(_ command: Command, within milliseconds: UInt64 = 10_000) -> [SeatSession.Directive] {
        calls += 1
        return seat.perform(
            command, for: SeatSession.Call(calls), by: now.after(milliseconds: milliseconds), at: now)
    }

    mutating func ask(_ query: Query, within milliseconds: UInt64 = 10_000) -> [SeatSession.Directive] {
        calls += 1
        return seat.ask(query, for: SeatSession.Call(calls), by: now.after(milliseconds: milliseconds), at: now)
    }

    /// Calls are numbered from 1; settling makes the first.
    mutating func cancel(_ call: UInt64) -> [SeatSession.Directive] { seat.cancel(SeatSession.Call(call), at: now) }

    mutating func tick() -> [SeatSession.Directive] { seat.tick(at: now) }

    /// Goes from one due tick to the next until `milliseconds` have passed. What is dialled is left unanswered.
    mutating func run(milliseconds: UInt64) -> [SeatSession.Directive] {
        let end = now.after(milliseconds: milliseconds)
        var directives: [SeatSession.Directive] = []
        while let due = seat.wakeAt, due <= end {
            now = max(now, due)
            directives += tick()
        }
        now = end
        return directives
    }
}

let pair = RandomID(high: 1, low: 2)
let ticket = TicketID(high: 3, low: 4)
let note = Command.note(ticket, text: "called back")
let done = Done(ticket: ticket, state: .open, revision: 2)

func request(_ sequence: UInt64, below: Int64, session: Int64 = 7) -> ToNode {
    .request(SeatRequest(session: session, sequence: sequence, answeredBelow: below, body: .command(note)))
}

func name(_ sequence: Int64, session: Int64 = 7) -> RequestName { RequestName(session: session, sequence: sequence) }

extension [SeatSession.Directive] {
    var sent: [(message: ToNode, link: Link)] {
        compactMap { if case .send(let message, let link) = $0 { (message, link) } else { nil } }
    }

    /// Requests and reads, without beats and hellos.
    var asked: [Ask] {
        sent.compactMap { message, link in
            switch message {
            case .request(let request): Ask(sequence: request.sequence, on: link)
            case .read(let read): Ask(sequence: read.number, on: link)
            case .hello, .beat, .status, .switchover: nil
            }
        }
    }

    var delivered: [SeatSession.Outcome] {
        compactMap { if case .deliver(let outcome, _) = $0 { outcome } else { nil } }
    }

    var dialled: [Link] { compactMap { if case .connect(let link) = $0 { link } else { nil } } }
    var dropped: [Link] { compactMap { if case .disconnect(let link, _) = $0 { link } else { nil } } }
}

struct Ask: Equatable {
    var sequence: UInt64
    var on: Link
}
