import Replication
import Testing
import Tickets
import Wire

@testable import Seat

/// SQL, as far as it goes other ways than tickets' requests.
@Suite struct SeatSQLTests {
    private static let statements = [SQLStatement("DELETE FROM t", expect: 1)]
    private static let query = Query.sql(SQLQuery("SELECT 1"))
    private static let call = SeatSession.Call(1000)

    private func ask(
        _ dialogue: inout Dialogue, _ level: SeatRead.Level, _ query: Query = query
    ) -> [SeatSession.Directive] {
        dialogue.seat.ask(
            query, level: level, for: Self.call, by: dialogue.now.after(milliseconds: 10_000), at: dialogue.now)
    }

    private func execute(_ dialogue: inout Dialogue) -> [SeatSession.Directive] {
        dialogue.seat.perform(
            .execute(Self.statements), for: Self.call, by: dialogue.now.after(milliseconds: 10_000), at: dialogue.now)
    }

    @Test("a transaction is named like a ticket's request, goes to a new primary, and its rows go to the caller")
    func execute() {
        var dialogue = Dialogue.settled()
        let sent = execute(&dialogue).sent
        let named = SeatRequest(session: 7, sequence: 2, answeredBelow: 2, body: .execute(Self.statements))
        #expect(sent.map(\.message) == [.request(named)])
        #expect(dialogue.receive(.standing(Standing(.primary, e2)), b1).asked == [Ask(sequence: 2, on: b0)])
        let results = [StatementResult(changes: 1, columns: ["a"], rows: [[.integer(5)]])]
        #expect(dialogue.receive(.answered(name(2), .executed(results)), b0).delivered == [.executed(results)])
        #expect(dialogue.perform(note).sent.first?.message == request(3, below: 3))
    }

    @Test("a schema change answers with the schema's version; unknown to the pair's sessions, it gets a new name")
    func schema() {
        var dialogue = Dialogue.settled()
        _ = dialogue.seat.perform(
            .changeSchema("DROP TABLE t"), for: Self.call, by: dialogue.now.after(milliseconds: 100), at: dialogue.now)
        let opening = dialogue.receive(.answered(name(2), .refused(.unknownSession)), a0).sent.first
        guard case .request(let open)? = opening?.message else {
            Issue.record("no session is opened")
            return
        }
        let opened = RequestName(session: 0, sequence: Int64(open.sequence))
        let again = dialogue.receive(.answered(opened, .sessionOpened(8)), a0).sent.first?.message
        let request = SeatRequest(session: 8, sequence: 1, answeredBelow: 1, body: .changeSchema("DROP TABLE t"))
        #expect(again == .request(request))
        let answer = dialogue.receive(.answered(name(1, session: 8), .schemaChanged(version: 3)), a0)
        #expect(answer.delivered == [.schemaChanged(version: 3)])
    }

    @Test("SQL that takes its time is not asked for twice, and is no measure of what is late")
    func slow() {
        var dialogue = Dialogue.settled()
        for _ in 0..<40 {
            _ = dialogue.perform(note)
            let sequence = dialogue.seat.nextSequence - 1
            dialogue.receive(.answered(name(sequence), .done(done)), a0)
        }
        let usual = dialogue.seat.answerTimes
        _ = execute(&dialogue)
        _ = ask(&dialogue, .latest)
        for _ in 0..<20 {
            #expect(dialogue.run(milliseconds: 10).asked == [])
            dialogue.stayAlive(a0)
        }
        dialogue.receive(.answered(name(dialogue.seat.nextSequence - 1), .executed([])), a0)
        #expect(dialogue.seat.answerTimes == usual)
        // A ticket's request is.
        _ = dialogue.perform(note)
        _ = dialogue.run(milliseconds: 10)
        dialogue.stayAlive(a0)
        #expect(dialogue.run(milliseconds: 10).asked.map(\.on) == [a1])
    }

    @Test("a read from a standby goes to the standby, waits for one to be there, and stays when another node leads")
    func standby() {
        var dialogue = Dialogue.settled()
        #expect(ask(&dialogue, .standby()).asked == [Ask(sequence: 1, on: b0)])
        #expect(dialogue.lose(b0).asked == [Ask(sequence: 1, on: b1)])
        #expect(dialogue.lose(b1).asked == [])
        _ = dialogue.run(milliseconds: 50)
        _ = dialogue.seat.tick(at: dialogue.now)
        dialogue.seat.connections[b0]?.phase = .dialling
        #expect(dialogue.connect(b0, .standby, e1).asked == [Ask(sequence: 1, on: b0)])
        #expect(dialogue.receive(.standing(Standing(.primary, e2)), a0).asked == [])
        let answer = Twinline_Seat_V1_ReadAnswer(
            number: 1, at: Position(e1, LSN(5)), .rows(SQLRows(columns: ["1"], rows: [[.integer(1)]])))
        let rows = SQLRows(columns: ["1"], rows: [[.integer(1)]], epoch: 1, lsn: 5)
        #expect(dialogue.receive(.shown(1, .view(answer)), b0).delivered == [.view(.rows(rows), Origin(answer))])
    }

    @Test("a read at a position goes to the standby if there is one, else to the primary, until one is far enough")
    func atLeast() {
        let level = SeatRead.Level.atLeast(Position(e1, LSN(9)))
        var dialogue = Dialogue.settled()
        #expect(ask(&dialogue, level, .show(ticket)).asked == [Ask(sequence: 1, on: b0)])
        #expect(dialogue.receive(.shown(1, .notNow(FromNode.NotNow())), b0).asked == [])
        #expect(dialogue.run(milliseconds: 5).asked == [Ask(sequence: 1, on: b0)])
        _ = dialogue.lose(b0)
        #expect(dialogue.lose(b1).asked == [Ask(sequence: 1, on: a0)])
    }

    @Test("a read from a standby while there is none is unreachable at its deadline, and keeps nobody busy")
    func noStandby() {
        var dialogue = Dialogue.settled()
        _ = dialogue.lose(b0)
        _ = dialogue.lose(b1)
        #expect(ask(&dialogue, .standby()).asked == [])
        let directives = dialogue.run(milliseconds: 11_000)
        #expect(directives.delivered == [.failed(.unreachable)])
        #expect(directives.asked == [])
    }
}
