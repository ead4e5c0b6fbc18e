import Foundation
import Replication
import Testing
import Tickets
import Wire

@testable import Engine

@Suite struct NodeEngineTests {
    private let seat = TestSeat()

    private func openSession(_ pair: TestPair) throws -> Int64 {
        let member = try #require(pair.primary)
        let request = SeatRequest(session: 0, sequence: 1, answeredBelow: 0, body: .openSession)
        member.database.submit(PendingWrite(request: request, actor: "seat/1", bytes: 10, connection: seat))
        try pair.pump()
        guard case .sessionOpened(let session)? = member.answers.last?.outcome else {
            Issue.record("no session: \(member.answers)")
            return 0
        }
        return session
    }

    private func open(_ low: UInt64) -> Command {
        .open(OpenTicket(id: TicketID(high: 7, low: low), openedAt: 1, category: "Lights", text: "dark since Monday"))
    }

    private func submit(_ command: Command, _ sequence: UInt64, _ session: Int64, to member: TestPair.Member) {
        let request = SeatRequest(session: session, sequence: sequence, answeredBelow: 0, body: .command(command))
        member.database.submit(PendingWrite(request: request, actor: "seat/1", bytes: 100, connection: seat))
    }

    @Test("two empty nodes and a witness become a pair")
    func becomeAPair() throws {
        let pair = try TestPair()
        try pair.formPair()
        #expect(pair[.a].serves && !pair[.b].serves)
        #expect(pair[.a].engine.replica.failoverObstacle == nil)
        #expect(pair.register.mode == .paired)
    }

    @Test("a request is answered once it is on both disks, and both copies are equal")
    func answeredFromBothDisks() throws {
        let pair = try TestPair()
        try pair.formPair()
        let session = try openSession(pair)
        let before = pair[.a].answers.count
        pair[.b].logStuck = true
        submit(open(1), 1, session, to: pair[.a])
        try pair.pump()
        #expect(pair[.a].answers.count == before, "answered before the standby's disk had it")
        pair[.b].logStuck = false
        try pair.pump()
        #expect(
            pair[.a].answers.last?.outcome == .done(Done(ticket: TicketID(high: 7, low: 1), state: .open, revision: 1)))
        try pair.run(milliseconds: 200)
        #expect(pair[.a].database.database.digest == pair[.b].database.database.digest)
        #expect(pair[.b].database.database.applied == pair[.a].database.database.applied)
    }

    @Test("after a failover a request sent again has the same answer and no second effect")
    func onceAcrossAFailover() throws {
        let pair = try TestPair()
        try pair.formPair()
        let session = try openSession(pair)
        submit(open(1), 1, session, to: pair[.a])
        try pair.pump()
        let first = pair[.a].answers.last?.outcome
        _ = pair.kill(.a)
        try pair.run(milliseconds: 100)
        #expect(pair[.b].serves)
        submit(open(1), 1, session, to: pair[.b])
        try pair.pump()
        #expect(pair[.b].answers.last?.outcome == first)
        pair[.b].engine.read([PendingRead(number: 1, query: .history(TicketID(high: 7, low: 1)), connection: seat)])
        try pair.pump()
        guard case .view(.history(let rows))? = pair[.b].views.last?.outcome else {
            Issue.record("no history")
            return
        }
        #expect(rows.count == 1)
    }

    @Test("an old primary returns, gives up the entry that nobody else has, and is equal again")
    func divergedTailIsCut() throws {
        let pair = try TestPair()
        try pair.formPair()
        let session = try openSession(pair)
        // In a's log, and never sent: its standby is gone before.
        let shared = pair[.a].log.log.last
        pair[.b].logStuck = true
        submit(open(1), 1, session, to: pair[.a])
        try pair.pump()
        let tail = pair[.a].log.log.last
        #expect(tail > shared)
        let unanswered = pair[.a].answers.count
        // b never had it on disk: it starts again without it, and leads.
        let recordA = pair.kill(.a)
        let recordB = pair.kill(.b)
        try pair.start(.b, recordB)
        pair[.b].engine.peerRefused()
        try pair.run(milliseconds: 600)
        #expect(pair[.b].serves, "\(pair[.b].engine.replica.role)")
        #expect(unanswered == 1)
        try pair.start(.a, recordA)
        pair.link()
        try pair.run(milliseconds: 1000)
        #expect(pair[.a].halts.isEmpty)
        #expect(pair[.b].engine.replica.failoverObstacle == nil)
        #expect(pair[.a].log.log.last == pair[.b].log.log.last)
        #expect(pair[.a].database.database.digest == pair[.b].database.database.digest)
    }

    @Test("a read is answered only after the standby has confirmed that nobody else leads")
    func readWaitsForItsRound() throws {
        let pair = try TestPair()
        try pair.formPair()
        pair[.a].engine.read([PendingRead(number: 5, query: .show(TicketID(high: 7, low: 9)), connection: seat)])
        #expect(pair[.a].views.isEmpty)
        try pair.pump()
        #expect(pair[.a].views.map(\.outcome) == [.view(.ticket(nil))])
    }

    @Test("an answer that rests on what the database holds waits for the standby, like a read")
    func absenceWaitsForItsRound() throws {
        let pair = try TestPair()
        try pair.formPair()
        let engine = try #require(pair[.a].engine)
        let request = SeatRequest(session: 9, sequence: 1, answeredBelow: 0, body: .command(open(1)))
        let pending = PendingWrite(request: request, actor: "seat/1", bytes: 100, connection: seat)
        let answer = pending.answered(.refused(.unknownSession))
        engine.handle(
            .batchExecuted(ExecutedBatch(reign: engine.reign, answers: [answer], changes: nil, digest: .zero)))
        #expect(pair[.a].answers.isEmpty)
        try pair.pump()
        #expect(pair[.a].answers.last?.outcome == .refused(.unknownSession))
    }

    @Test("a batch that was executed in an earlier reign is worth nothing in this one")
    func earlierReign() throws {
        let pair = try TestPair()
        try pair.formPair()
        let engine = try #require(pair[.a].engine)
        let last = engine.replica.log.last
        let request = SeatRequest(session: 1, sequence: 1, answeredBelow: 0, body: .command(open(1)))
        let pending = PendingWrite(request: request, actor: "seat/1", bytes: 100, connection: seat)
        let answer = pending.answered(.refused(.missing(field: "text")))
        engine.handle(
            .batchExecuted(
                ExecutedBatch(
                    reign: engine.reign - 1, answers: [answer], changes: EntryDraft(payload: [1]), digest: .zero)))
        #expect(pair[.a].answers.last?.outcome == .notNow(.notPrimary))
        #expect(engine.replica.log.last == last)
    }

    @Test("a switchover moves the lead, and what was on its way is done by the new primary")
    func switchover() throws {
        let pair = try TestPair()
        try pair.formPair()
        let session = try openSession(pair)
        submit(open(1), 1, session, to: pair[.a])
        #expect(pair[.a].engine.switchOver() == nil)
        try pair.run(milliseconds: 300)
        #expect(pair[.b].serves && !pair[.a].serves)
        submit(open(1), 1, session, to: pair[.b])
        try pair.run(milliseconds: 100)
        #expect(
            pair[.b].answers.last?.outcome == .done(Done(ticket: TicketID(high: 7, low: 1), state: .open, revision: 1)))
        #expect(pair[.b].engine.replica.failoverObstacle == nil)
    }
}
