import Replication
import Testing
import Wire

@testable import Seat

/// Beats, losses and dialling again.
@Suite struct SeatConnectionTests {
    @Test("every connection is beaten once a second when idle, four times while a request is under way")
    func beats() {
        var dialogue = Dialogue.settled()
        _ = dialogue.run(milliseconds: 1000)
        func beats(_ dialogue: inout Dialogue) -> Int {
            var count = 0
            for _ in 0..<100 {
                count += dialogue.run(milliseconds: 10).sent.filter { $0.message.isBeat && $0.link == b1 }.count
                for link in [a0, a1, b0, b1] { dialogue.stayAlive(link) }
            }
            return count
        }
        #expect(beats(&dialogue) == 1)
        _ = dialogue.perform(note)
        #expect(beats(&dialogue) == 4)
    }

    @Test("a node's own stamp is echoed, and an echo is not")
    func echo() {
        var dialogue = Dialogue.settled()
        let echo = ToNode.beat(stamp: 0, echo: 77, isStranded: false)
        #expect(dialogue.receive(.beat(stamp: 77, echo: 0), b0) == [.send(echo, on: b0)])
        #expect(dialogue.receive(.beat(stamp: 0, echo: 5), b0) == [])
    }

    @Test("a node is told at once that it is the only one that is reached, on all its connections, and with each beat")
    func stranded() {
        func told(_ directives: [SeatSession.Directive]) -> [Link: Bool] {
            directives.sent.reduce(into: [:]) { told, sent in
                if case .beat(_, _, let isStranded) = sent.message { told[sent.link] = isStranded }
            }
        }
        var dialogue = Dialogue.settled()
        #expect(told(dialogue.lose(a0)) == [:])
        #expect(told(dialogue.lose(a1)) == [b0: true, b1: true])
        #expect(told(dialogue.run(milliseconds: 1000)) == [b0: true, b1: true])
        // One that is dialled again hears it as well.
        for link in [b0, b1] { dialogue.stayAlive(link) }
        _ = dialogue.lose(b1)
        _ = dialogue.run(milliseconds: 10)
        #expect(told(dialogue.connect(b1, .standby, e1)) == [b1: true])
        #expect(told(dialogue.connect(a0, .primary, e1)) == [b0: false, b1: false])
        #expect(told(dialogue.connect(a1, .primary, e1)) == [:])
    }

    @Test("a seat that is to reach one node only strands nobody")
    func oneNode() {
        let seat = SeatSession(links: [a0, a1], seed: 1)
        var alone = seat
        #expect(alone.start(at: Instant(nanoseconds: 1)).count == 2)
        _ = alone.connected(a0, at: Instant(nanoseconds: 2))
        let welcome = FromNode.welcome(pair: pair, Standing(.primary, e1))
        _ = alone.receive(welcome, on: a0, at: Instant(nanoseconds: 3))
        #expect(alone.onlyReached == nil)
    }

    @Test("an echo tells the round trip")
    func roundTrip() {
        var dialogue = Dialogue.settled()
        _ = dialogue.run(milliseconds: 1000)
        let stamp = dialogue.seat.connections[b0]?.lastStamp ?? 0
        dialogue.seat.connections[b0]?.roundTrip = UsualTime()
        dialogue.now = Instant(nanoseconds: stamp + 123_000)
        dialogue.receive(.beat(stamp: 0, echo: stamp), b0)
        #expect(dialogue.seat.connections[b0]?.roundTrip.smoothed == 123_000)
    }

    @Test("two missed beats end a connection, and what was under way there goes elsewhere")
    func silence() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        var dropped: [Link] = [], elapsed = 0
        while dropped.isEmpty, elapsed < 2000 {
            elapsed += 10
            let directives = dialogue.run(milliseconds: 10)
            dropped = directives.dropped
            for link in [a1, b0, b1] { dialogue.stayAlive(link) }
        }
        #expect(dropped == [a0])
        #expect((500...760).contains(elapsed), "\(elapsed)")
        #expect(dialogue.seat.target == a1)
    }

    @Test("a pause of the seat's own program ends no connection")
    func ownPause() {
        var dialogue = Dialogue.settled()
        dialogue.pass(milliseconds: 60_000)
        #expect(dialogue.tick().dropped == [])
    }

    @Test("a connection that was good is dialled again at once; where nobody listens, after 250 ms to 2 s")
    func dialling() {
        var dialogue = Dialogue.settled()
        dialogue.pass(milliseconds: 2000)
        #expect(dialogue.lose(a0).dialled == [a0])
        var pauses: [UInt64] = []
        for _ in 0..<5 {
            let before = dialogue.now
            #expect(dialogue.lose(a0, .refused).dialled == [])
            while true {
                for link in [a1, b0, b1] { dialogue.stayAlive(link) }
                if dialogue.run(milliseconds: 1).dialled == [a0] { break }
            }
            pauses.append(dialogue.now.since(before) / 1_000_000)
        }
        for (pause, bounds) in zip(pauses, [125...250, 250...500, 500...1000, 1000...2000, 1000...2000]) {
            #expect(bounds.contains(Int(pause)) || Int(pause) == bounds.upperBound + 1, "\(pauses)")
        }
    }

    @Test("a connection that ends right after its welcome is not dialled in a hot loop")
    func flapping() {
        var dialogue = Dialogue()
        dialogue.connect(a0, .primary, e1)
        #expect(dialogue.receive(.goodbye("stopping"), a0).dialled == [])
    }

    @Test("whoever is the wrong one or turns this seat away is left alone for two seconds")
    func rejected() {
        var dialogue = Dialogue()
        _ = dialogue.lose(a0, .rejected)
        #expect(!dialogue.run(milliseconds: 1999).dialled.contains(a0))
        #expect(dialogue.run(milliseconds: 1).dialled.contains(a0))
    }

    @Test("a node that sends no welcome is given up")
    func noWelcome() {
        var dialogue = Dialogue()
        _ = dialogue.seat.connected(a0, at: dialogue.now)
        #expect(dialogue.run(milliseconds: 2000).dropped == [a0])
    }

    @Test("before the welcome nothing else counts")
    func protocolOrder() {
        var dialogue = Dialogue()
        _ = dialogue.seat.connected(a0, at: dialogue.now)
        #expect(dialogue.receive(.standing(Standing(.primary, e1)), a0).dropped == [a0])
    }

    @Test("what a slower route says later about an earlier epoch is old news")
    func oldNews() {
        var dialogue = Dialogue.settled()
        dialogue.receive(.standing(Standing(.primary, e2)), b0)
        dialogue.receive(.standing(Standing(.standby, e1)), b1)
        #expect(dialogue.seat.target == b0)
    }
}

extension ToNode {
    var isBeat: Bool { if case .beat = self { true } else { false } }
}
