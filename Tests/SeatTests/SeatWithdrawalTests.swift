import Replication
import Testing
import Wire

@testable import Seat

/// What a caller takes back: it learns whether there was anything left to take back.
@Suite struct SeatWithdrawalTests {
    private func withdrawal(_ sequence: UInt64, below: Int64) -> ToNode {
        .request(SeatRequest(session: 7, sequence: sequence, answeredBelow: below, body: .withdraw))
    }

    @Test("a cancelled request is withdrawn under its own name, and its caller is told what became of it")
    func cancelled() {
        for verdict in [FromNode.Verdict.done(done), .refused(.withdrawn)] {
            var dialogue = Dialogue.settled()
            _ = dialogue.perform(note)
            #expect(dialogue.cancel(2).sent.map(\.message) == [withdrawal(2, below: 2)])
            let answered = dialogue.receive(.answered(name(2), verdict), a0).delivered
            #expect(answered == [verdict == .done(done) ? .done(done) : .failed(.refused(.withdrawn))])
            #expect(dialogue.seat.unresolved == [])
        }
    }

    @Test("from then on every copy withdraws: after a failover as well")
    func everyCopy() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note)
        _ = dialogue.cancel(2)
        #expect(dialogue.lose(a0).sent.map(\.message).contains(withdrawal(2, below: 2)))
        let moved = dialogue.receive(.standing(Standing(.primary, e2)), b0)
        #expect(moved.sent.map(\.message).contains(withdrawal(2, below: 2)))
        // An answer to the first copy is one to all.
        #expect(dialogue.receive(.answered(name(2), .done(done)), b0).delivered == [.done(done)])
    }

    @Test("what no node was ever sent is gone at once, and its name is free to be passed over")
    func unsent() {
        var dialogue = Dialogue()
        _ = dialogue.perform(note)
        #expect(dialogue.cancel(1).delivered == [.failed(.refused(.withdrawn))])
        dialogue = Dialogue.settled()
        _ = dialogue.lose(a0)
        _ = dialogue.lose(a1)
        #expect(dialogue.perform(note).asked == [])
        #expect(dialogue.cancel(2).delivered == [.failed(.refused(.withdrawn))])
        #expect(dialogue.seat.unresolved == [] && dialogue.seat.pending.isEmpty)
    }

    @Test("what may have happened and can't be asked about stays unknown")
    func unknown() {
        var dialogue = Dialogue.settled()
        _ = dialogue.perform(note, within: 100)
        _ = dialogue.lose(a0)
        _ = dialogue.lose(a1)
        #expect(dialogue.cancel(2).delivered == [])
        #expect(dialogue.run(milliseconds: 100).delivered == [.failed(.unknown(name(2)))])
        #expect(dialogue.cancel(2) == [])
    }

    @Test("a query is just no longer waited for")
    func query() {
        var dialogue = Dialogue.settled()
        _ = dialogue.ask(.show(ticket))
        let directives = dialogue.cancel(2)
        #expect(directives.sent.isEmpty && directives.delivered == [.failed(.unreachable)])
    }

    @Test("a name from an earlier life is withdrawn, and never gets a new one")
    func earlierLife() {
        var dialogue = Dialogue.settled()
        let old = name(9, session: 3)
        let asked = dialogue.seat.withdraw(
            old, for: SeatSession.Call(99), by: dialogue.now.after(milliseconds: 1000), at: dialogue.now)
        let sent = SeatRequest(session: 3, sequence: 9, answeredBelow: 0, body: .withdraw)
        #expect(asked.sent.map(\.message) == [.request(sent)])
        #expect(
            dialogue.receive(.answered(old, .refused(.unknownSession)), a0).delivered == [.failed(.unknown(old))])
    }
}
