import Replication
import Tickets
import Testing
import Wire

@testable import Seat

/// Requests: names, answers, outcomes.
@Suite struct SeatRequestTests {
    @Test("the first command opens a session and gets its name from it")
    func opening() throws {
        var dialogue = Dialogue()
        dialogue.connect(a0, .primary, e1)
        guard case .request(let opening) = dialogue.perform(note).sent.first?.message else {
            Issue.record("nothing was sent")
            return
        }
        #expect(opening.session == 0 && opening.body == .openSession)
        let opened = RequestName(session: 0, sequence: Int64(opening.sequence))
        #expect(dialogue.receive(.answered(opened, .sessionOpened(7)), a0) == [.send(request(1, below: 1), on: a0)])
    }

    @Test("an answer goes to its caller, and the next request says that it has come")
    func answer() {
        var dialogue = Dialogue.settled()
        #expect(dialogue.perform(note) == [.send(request(2, below: 2), on: a0)])
        #expect(dialogue.perform(note) == [.send(request(3, below: 2), on: a0)])
        #expect(dialogue.receive(.answered(name(3), .done(done)), a0).delivered == [.done(done)])
        #expect(dialogue.perform(note) == [.send(request(4, below: 2), on: a0)])
        #expect(
            dialogue.receive(.answered(name(2), .refused(.noSuchTicket(ticket))), a0).delivered
                == [.failed(.refused(.noSuchTicket(ticket)))])
        #expect(dialogue.perform(note) == [.send(request(5, below: 4), on: a0)])
    }

    @Test("a second answer is dropped")
    func secondAnswer() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        #expect(dialogue.receive(.answered(name(2), .done(done)), a0).delivered == [.done(done)])
        #expect(dialogue.receive(.answered(name(2), .done(done)), a1) == [])
    }

    @Test("a request that was sent and has no answer by its deadline is unknown; asked again, it keeps its name")
    func unknown() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note, within: 100)
        for _ in 0..<9 {
            #expect(dialogue.run(milliseconds: 10).delivered == [])
            for link in [a0, a1, b0, b1] { dialogue.stayAlive(link) }
        }
        #expect(dialogue.run(milliseconds: 10).delivered == [.failed(.unknown(name(2)))])
        #expect(dialogue.perform(note) == [.send(request(3, below: 2), on: a0)])
        let again = dialogue.seat.perform(
            note, again: name(2), for: .init(9), by: dialogue.now.after(milliseconds: 100), at: dialogue.now)
        #expect(again == [.send(request(2, below: 2), on: a0)])
        #expect(dialogue.receive(.answered(name(2), .done(done)), a0) == [.deliver(.done(done), to: .init(9))])
    }

    @Test("a request that was never sent did not happen, and says so")
    func unreachable() {
        var dialogue = Dialogue()
        _ = dialogue.perform(note, within: 100)
        #expect(dialogue.run(milliseconds: 100).delivered == [.failed(.unreachable)])
        #expect(dialogue.connect(a0, .primary, e1).asked.count == 1, "only the session's opening")
    }

    @Test("a late answer to an unknown request keeps its name open: its caller was told to ask again")
    func lateAnswer() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note, within: 10)
        _ = dialogue.run(milliseconds: 10)
        #expect(dialogue.receive(.answered(name(2), .done(done)), a0) == [])
        #expect(dialogue.perform(note) == [.send(request(3, below: 2), on: a0)])
        _ = dialogue.receive(.answered(name(3), .done(done)), a0)
        let again = dialogue.seat.perform(
            note, again: name(2), for: .init(9), by: dialogue.now.after(milliseconds: 100), at: dialogue.now)
        #expect(again == [.send(request(2, below: 2), on: a0)])
        #expect(dialogue.receive(.answered(name(2), .done(done)), a0) == [.deliver(.done(done), to: .init(9))])
        #expect(dialogue.perform(note) == [.send(request(4, below: 4), on: a0)])
    }

    @Test("a request that the pair does not know the session of gets a new name only if it was sent once")
    func unknownSession() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        _ = dialogue.perform(note)
        // The second goes out again on another route: two copies.
        dialogue.pass(milliseconds: 1)
        _ = dialogue.receive(.answered(name(3), .notNow(.init())), a0)
        #expect(dialogue.run(milliseconds: 2).asked == [Ask(sequence: 3, on: a0)])
        let first = dialogue.receive(.answered(name(2), .refused(.unknownSession)), a0)
        #expect(first.delivered == [], "it was not run: it may be, under a new name")
        let second = dialogue.receive(.answered(name(3), .refused(.unknownSession)), a0)
        #expect(second.delivered == [.failed(.unknown(name(3)))])
        guard case .request(let opening)? = first.sent.first?.message else {
            Issue.record("no session is opened")
            return
        }
        let opened = RequestName(session: 0, sequence: Int64(opening.sequence))
        #expect(
            dialogue.receive(.answered(opened, .sessionOpened(8)), a0)
                == [.send(request(1, below: 1, session: 8), on: a0)])
    }

    @Test("an expired window leaves the outcome unknown")
    func windowExpired() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        #expect(
            dialogue.receive(.answered(name(2), .refused(.windowExpired)), a0).delivered
                == [.failed(.unknown(name(2)))])
    }

    @Test("callers who never ask again hold the low mark back for so many requests only")
    func window() {
        var timings = SeatTimings()
        timings.window = 3
        var dialogue = Dialogue.settled(timings: timings)
        for _ in 2...5 {
            _ = dialogue.perform(note, within: 1)
            _ = dialogue.run(milliseconds: 1)
        }
        #expect(dialogue.perform(note).asked == [Ask(sequence: 6, on: a0)])
        #expect(dialogue.seat.unresolved == [4, 5, 6])
    }

    @Test("a read is answered, and asked again like a request")
    func read() {
        var dialogue = Dialogue.settled()
        #expect(dialogue.ask(.show(ticket)).asked == [Ask(sequence: 1, on: a0)])
        #expect(dialogue.lose(a0).asked == [Ask(sequence: 1, on: a1)])
        let answer = Twinline_Seat_V1_ReadAnswer(number: 1, at: Position(e1, LSN(5)), .ticket(nil))
        #expect(dialogue.receive(.shown(1, .view(answer)), a1).delivered == [.view(.ticket(nil), Origin(answer))])
    }

    @Test("who asks for a young standby goes to the primary when that is too old, or is not there")
    func tooOld() {
        var dialogue = Dialogue.settled()
        func ask(_ number: UInt64, _ limit: UInt64?) -> [SeatSession.Directive] {
            dialogue.seat.ask(
                .show(ticket), level: .standby(maxAge: limit), for: SeatSession.Call(number),
                by: dialogue.now.after(milliseconds: 1000), at: dialogue.now)
        }
        #expect(ask(101, 200).asked == [Ask(sequence: 1, on: b0)])
        let tooOld = FromNode.ReadVerdict.notNow(.init(tooOld: true))
        #expect(dialogue.receive(.shown(1, tooOld), b0).asked == [Ask(sequence: 1, on: a0)])
        // From now on it is a question to whoever leads.
        #expect(dialogue.lose(a0).asked == [Ask(sequence: 1, on: a1)])
        _ = (dialogue.lose(b0), dialogue.lose(b1))
        #expect(ask(102, 200).asked == [Ask(sequence: 2, on: a1)])
        #expect(ask(103, nil).asked == [])
    }

    @Test("a read without an answer by its deadline is unreachable")
    func readDeadline() {
        var dialogue = Dialogue.settled()
        _ = dialogue.ask(.show(ticket), within: 10)
        #expect(dialogue.run(milliseconds: 10).delivered == [.failed(.unreachable)])
    }

    @Test("who closes tells what was sent from what was not")
    func closing() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        #expect(dialogue.seat.abandonAll().delivered == [.failed(.unknown(name(2)))])
        dialogue = Dialogue()
        _ = dialogue.perform(note)
        #expect(dialogue.seat.abandonAll().delivered == [.failed(.unreachable)])
    }

    @Test("another pair under the same name: its names and epochs mean nothing")
    func otherPair() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        _ = dialogue.lose(b0)
        for _ in 0..<251 where dialogue.run(milliseconds: 1).dialled != [b0] { dialogue.stayAlive(a0) }
        _ = dialogue.seat.connected(b0, at: dialogue.now)
        let other = RandomID(high: 9, low: 9)
        let directives = dialogue.receive(.welcome(pair: other, Standing(.standby, Epoch.zero)), b0)
        #expect(directives.delivered == [.failed(.unknown(name(2)))])
        #expect(dialogue.seat.session == nil && dialogue.seat.highestEpoch == .zero)
    }
}

extension Dialogue {
    /// Beats are answered.
    mutating func stayAlive(_ link: Link) {
        let stamp = seat.connections[link]?.lastStamp ?? 0
        receive(.beat(stamp: 0, echo: stamp == 0 ? 1 : stamp), link)
    }
}
