import Replication
import Tickets
import Testing
import Wire

@testable import Seat

/// Which connection is used, and what happens when it is lost.
@Suite struct SeatFailoverTests {
    @Test("all ways are dialled at once, and each is greeted with the highest epoch known")
    func start() {
        var seat = SeatSession(links: [a0, b0], memory: SeatMemory(pair: pair.description, epoch: 2), seed: 1)
        let now = Instant(nanoseconds: 1)
        #expect(seat.start(at: now) == [.connect(a0), .connect(b0)])
        #expect(seat.connected(b0, at: now) == [.send(.hello(e2), on: b0)])
    }

    @Test("requests go to the primary, over the route with the shortest round trip")
    func route() {
        var dialogue = Dialogue.settled()
        #expect(dialogue.perform(note).asked == [Ask(sequence: 2, on: a0)])
        // Route 1 turns out to be twice as fast.
        for _ in 0..<20 { dialogue.seat.connections[a1]?.roundTrip.add(40_000) }
        dialogue.receive(.beat(stamp: 0, echo: 1), a1)
        #expect(dialogue.perform(note).asked == [Ask(sequence: 3, on: a1)])
        // A little faster is no reason to go back.
        for _ in 0..<20 { dialogue.seat.connections[a0]?.roundTrip.add(35_000) }
        dialogue.receive(.beat(stamp: 0, echo: 1), a0)
        #expect(dialogue.perform(note).asked == [Ask(sequence: 4, on: a1)])
    }

    @Test("a primary of an epoch that is over is no primary")
    func oldEpoch() {
        var dialogue = Dialogue()
        dialogue.connect(b0, .standby, e2)
        dialogue.connect(a0, .primary, e1)
        #expect(dialogue.perform(note) == [])
        #expect(dialogue.receive(.standing(Standing(.primary, e2)), b0).asked.map(\.on) == [b0])
    }

    @Test("a memory of a later epoch keeps a node that slept through a failover from being believed")
    func memory() {
        var dialogue = Dialogue(memory: SeatMemory(pair: pair.description, epoch: 2))
        dialogue.connect(a0, .primary, e1)
        #expect(dialogue.perform(note) == [])
    }

    @Test("a new epoch is to be remembered")
    func remember() {
        var dialogue = Dialogue.settled()
        let directives = dialogue.receive(.standing(Standing(.primary, e2)), b0)
        #expect(directives.first == .remember(SeatMemory(pair: pair.description, epoch: 2)))
    }

    @Test("when the connection dies, everything unanswered goes over the node's other route at once, in order")
    func lostRoute() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        _ = dialogue.perform(note)
        let directives = dialogue.lose(a0)
        #expect(directives.asked == [Ask(sequence: 2, on: a1), Ask(sequence: 3, on: a1)])
        #expect(directives.sent.first?.message == request(2, below: 2))
    }

    @Test("when another node leads, everything unanswered goes there at once, also what still waits at the old one")
    func newPrimary() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        #expect(dialogue.receive(.standing(Standing(.primary, e2)), b1).asked == [Ask(sequence: 2, on: b0)])
        #expect(dialogue.receive(.answered(name(2), .done(done)), b0).delivered == [.done(done)])
    }

    @Test("with no primary in sight requests wait, and go out as soon as one says so")
    func interregnum() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        #expect(dialogue.lose(a0).asked == [Ask(sequence: 2, on: a1)])
        #expect(dialogue.lose(a1).asked == [])
        #expect(dialogue.perform(note) == [])
        #expect(
            dialogue.receive(.standing(Standing(.primary, e2)), b0).asked
                == [Ask(sequence: 2, on: b0), Ask(sequence: 3, on: b0)])
    }

    @Test("a node that says 'not now' is asked again after 1-2 ms, then 2-4, and so on to 50")
    func notNow() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        var pauses: [UInt64] = []
        for _ in 0..<8 {
            let before = dialogue.now
            #expect(dialogue.receive(.answered(name(2), .notNow(.init())), a0) == [])
            while dialogue.run(milliseconds: 1).asked.isEmpty {
                for link in [a0, a1, b0, b1] { dialogue.stayAlive(link) }
            }
            pauses.append(dialogue.now.since(before) / 1_000_000)
        }
        for (pause, bounds) in zip(pauses, [1...2, 2...4, 4...8, 8...16, 16...32, 25...50, 25...50, 25...50]) {
            #expect(bounds.contains(Int(pause)) || Int(pause) == bounds.upperBound + 1, "\(pauses)")
        }
    }

    @Test("a node that asks for a longer pause gets it")
    func againAfter() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        _ = dialogue.receive(.answered(name(2), .notNow(.init(againAfter: 30))), a0)
        #expect(dialogue.run(milliseconds: 29).asked == [])
        #expect(dialogue.run(milliseconds: 1).asked == [Ask(sequence: 2, on: a0)])
    }

    @Test("a node that says it is not the primary is not asked again until one leads in a newer epoch")
    func notPrimary() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        _ = dialogue.receive(.answered(name(2), .notNow(.init(Standing(.standby, e1)))), a0)
        #expect(dialogue.run(milliseconds: 100).asked == [])
        #expect(dialogue.receive(.standing(Standing(.primary, e2)), b0).asked == [Ask(sequence: 2, on: b0)])
    }

    @Test("a late answer is asked for on the node's other route as well, once, and the first answer counts")
    func late() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        #expect(dialogue.run(milliseconds: 19).asked == [])
        dialogue.stayAlive(a0)
        #expect(dialogue.run(milliseconds: 1).asked == [Ask(sequence: 2, on: a1)])
        for _ in 0..<10 {
            dialogue.stayAlive(a0)
            #expect(dialogue.run(milliseconds: 10).asked == [])
        }
        #expect(dialogue.receive(.answered(name(2), .done(done)), a1).delivered == [.done(done)])
        #expect(dialogue.receive(.answered(name(2), .done(done)), a0) == [])
    }

    @Test("late means later than 99 in 100: where some answers take 50 ms, 20 are no reason to ask twice")
    func usuallySlow() {
        var dialogue = Dialogue.settled()
        for number in 0..<400 { dialogue.seat.answerTimes.add(number % 50 == 0 ? 50_000_000 : 1_000_000) }
        // These two in two hundred are rarer than that.
        for number in 0..<200 where number % 100 == 0 { dialogue.seat.answerTimes.add(900_000_000) }
        _ = dialogue.perform(note)
        #expect(dialogue.run(milliseconds: 49).asked == [])
        dialogue.stayAlive(a0)
        #expect(dialogue.run(milliseconds: 1).asked == [Ask(sequence: 2, on: a1)])
    }

    @Test("a connection that is silent although it was beaten is left at once, with all that is under way there")
    func silentRoute() {
        var dialogue = Dialogue.settled()
        for _ in 0..<30 { _ = dialogue.perform(note) }
        let beats = dialogue.run(milliseconds: 19).sent.filter { $0.message.isBeat && $0.link == a0 }
        #expect(beats.count == 1)
        #expect(dialogue.run(milliseconds: 1).asked == (2...31).map { Ask(sequence: $0, on: a1) })
        // What comes goes there too; the old one is still open, and used again once it is heard.
        #expect(dialogue.perform(note).asked == [Ask(sequence: 32, on: a1)])
        dialogue.stayAlive(a1)
        #expect(dialogue.seat.connections[a0]?.phase == .live)
        dialogue.stayAlive(a0)
        for _ in 0..<20 { dialogue.seat.connections[a0]?.roundTrip.add(10_000) }
        dialogue.stayAlive(a0)
        #expect(dialogue.perform(note).asked == [Ask(sequence: 33, on: a0)])
    }

    @Test("a node that is silent on all ways is asked over one of them, and no copy is sent in vain")
    func silentNode() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        #expect(dialogue.run(milliseconds: 20).asked == [Ask(sequence: 2, on: a1)])
        #expect(dialogue.run(milliseconds: 400).asked == [])
    }

    @Test("extra copies are at most one in twenty requests")
    func budget() {
        var dialogue = Dialogue.settled()
        var extra = 0
        for sequence in 2...201 {
            _ = dialogue.perform(note)
            _ = dialogue.run(milliseconds: 10)
            for link in [a0, a1, b0, b1] { dialogue.stayAlive(link) }
            extra += dialogue.run(milliseconds: 10).asked.count
            _ = dialogue.receive(.answered(name(Int64(sequence)), .done(done)), a0)
            dialogue.seat.answerTimes = AnswerTimes()
        }
        #expect((10...11).contains(extra), "\(extra)")
    }

    @Test("a seat that asks seldom has one extra copy a minute all the same")
    func seldom() {
        var dialogue = Dialogue.settled()
        var extra: [Bool] = []
        for sequence in 2...8 {
            _ = dialogue.perform(note)
            _ = dialogue.run(milliseconds: 10)
            for link in [a0, a1, b0, b1] { dialogue.stayAlive(link) }
            extra.append(!dialogue.run(milliseconds: 10).asked.isEmpty)
            _ = dialogue.receive(.answered(name(Int64(sequence)), .done(done)), a0)
            // Not slow for ever.
            dialogue.seat.answerTimes = AnswerTimes()
            for _ in 0..<300 {
                _ = dialogue.run(milliseconds: 100)
                for link in [a0, a1, b0, b1] { dialogue.stayAlive(link) }
            }
        }
        // Every half minute a request that is late.
        #expect(extra == [true, false, true, false, true, false, true])
    }

    @Test("the loss of the first copy's connection is no reason to send a third, while the second is under way")
    func promoted() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        _ = dialogue.run(milliseconds: 10)
        dialogue.stayAlive(a0)
        _ = dialogue.run(milliseconds: 10)
        #expect(dialogue.lose(a0).asked == [])
        #expect(dialogue.lose(a1).asked == [])
        #expect(dialogue.receive(.standing(Standing(.primary, e2)), b0).asked == [Ask(sequence: 2, on: b0)])
    }

    @Test("status is asked of the very node, and a lost connection ends the wait")
    func status() {
        var dialogue = Dialogue.settled()
        #expect(dialogue.seat.inspect(.b, .status, for: .init(50)) == [.send(.status, on: b0)])
        #expect(dialogue.lose(b0).first == .deliver(.failed(.unreachable), to: .init(50)))
        _ = dialogue.lose(b1)
        #expect(dialogue.seat.inspect(.b, .status, for: .init(51)) == [.deliver(.failed(.unreachable), to: .init(51))])
    }
}
