import Replication
import Testing
import Tickets
import Wire

@testable import Engine

@Suite("the platform's SQL on a pair of engines")
struct SQLEngineTests {
    private let seat = TestSeat()
    private let pair: TestPair
    private let session: Int64

    init() throws {
        pair = try TestPair()
        try pair.formPair()
        let request = SeatRequest(session: 0, sequence: 1, answeredBelow: 0, body: .openSession)
        pair[.a].database.submit(PendingWrite(request: request, actor: "service/1", bytes: 10, connection: seat))
        try pair.pump()
        guard case .sessionOpened(let session)? = pair[.a].answers.last?.outcome else { throw NoSession() }
        self.session = session
    }

    private struct NoSession: Error {}

    private func submit(_ body: SeatRequest.Body, _ sequence: UInt64, to name: NodeName) {
        let request = SeatRequest(session: session, sequence: sequence, answeredBelow: 0, body: body)
        pair[name].database.submit(PendingWrite(request: request, actor: "service/1", bytes: 100, connection: seat))
    }

    private static let table = SeatRequest.Body.changeSchema("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, v)")
    private static let insert = SeatRequest.Body.execute([
        SQLStatement("INSERT INTO t (v) VALUES (random()), (random()) RETURNING id, v")
    ])

    private func expectEqual() throws {
        try pair.run(milliseconds: 200)
        let (a, b) = (pair[.a].database.database, pair[.b].database.database)
        #expect(a.applied == b.applied && a.digest == b.digest && a.schemaVersion == b.schemaVersion)
        #expect(try a.recomputeDigest() == a.digest)
        #expect(try b.recomputeDigest() == a.digest)
    }

    @Test("a schema change is an entry by itself, and what follows goes by the new schema, on both nodes")
    func schema() throws {
        submit(Self.table, 1, to: .a)
        submit(Self.insert, 2, to: .a)
        submit(.changeSchema("ALTER TABLE t ADD COLUMN w DEFAULT 5"), 3, to: .a)
        submit(.execute([SQLStatement("SELECT count(*), sum(w) FROM t")]), 4, to: .a)
        try pair.pump()
        let outcomes = pair[.a].answers.suffix(4).map(\.outcome)
        #expect(outcomes[0] == .schemaChanged(version: 2) && outcomes[2] == .schemaChanged(version: 3))
        let counted = StatementResult(
            changes: 0, columns: ["count(*)", "sum(w)"], rows: [[.integer(2), .integer(10)]])
        #expect(outcomes[3] == .executed([counted]))
        let kinds = try pair[.b].log.log.read(from: LSN(1), maxBytes: 1 << 20).suffix(4).map(\.kind)
        #expect(kinds == [.schema, .changes, .schema, .changes])
        try expectEqual()
    }

    @Test("after a failover the same request has the same rows of RETURNING, and no second effect")
    func once() throws {
        submit(Self.table, 1, to: .a)
        submit(Self.insert, 2, to: .a)
        try pair.pump()
        let answers = pair[.a].answers.suffix(2).map(\.outcome)
        _ = pair.kill(.a)
        try pair.run(milliseconds: 100)
        #expect(pair[.b].serves)
        submit(Self.table, 1, to: .b)
        submit(Self.insert, 2, to: .b)
        try pair.pump()
        #expect(pair[.b].answers.suffix(2).map(\.outcome) == answers)
        #expect(try pair[.b].database.database.recomputeDigest() == pair[.b].database.database.digest)
    }

    @Test("a primary that dies between a schema change's entry and its commit has it from the log, or not at all")
    func restart() throws {
        submit(Self.table, 1, to: .a)
        try pair.pump()
        pair[.b].logStuck = true
        submit(.changeSchema("ALTER TABLE t ADD COLUMN w DEFAULT 5"), 2, to: .a)
        try pair.pump()
        #expect(pair[.a].answers.last?.outcome == .schemaChanged(version: 2))
        let record = pair.kill(.a)
        pair[.b].logStuck = false
        try pair.run(milliseconds: 100)
        #expect(pair[.b].serves)
        submit(Self.insert, 3, to: .b)
        try pair.pump()
        try pair.start(.a, record)
        pair.link()
        try pair.run(milliseconds: 500)
        #expect(pair[.a].halts.isEmpty)
        try expectEqual()
    }

    private func query(_ level: SeatRead.Level, of name: NodeName) throws -> ReadAnswer.Outcome? {
        let query = Query.sql(SQLQuery("SELECT count(*) FROM t"))
        pair[name].engine.read([PendingRead(number: 1, level: level, query: query, connection: seat)])
        try pair.pump()
        return pair[name].views.last?.outcome
    }

    @Test("a query is answered by who has what it needs: the primary, a standby, or any node that is far enough")
    func levels() throws {
        submit(Self.table, 1, to: .a)
        try pair.run(milliseconds: 200)
        let count = ReadAnswer.Outcome.view(.rows(SQLRows(columns: ["count(*)"], rows: [[.integer(0)]])))
        #expect(try query(.latest, of: .a) == count)
        #expect(try query(.latest, of: .b) == .notNow(.notPrimary))
        #expect(try query(.standby(), of: .b) == count)
        #expect(try query(.standby(), of: .a) == .notNow(.notPrimary))
        let applied = pair[.b].database.database.applied
        for name in NodeName.allCases { #expect(try query(.atLeast(applied), of: name) == count) }
        #expect(pair[.b].views.last?.position == applied)
        let later = Position(applied.epoch, applied.lsn.next)
        for name in NodeName.allCases { #expect(try query(.atLeast(later), of: name) == .notNow(.notPrimary)) }
        let parted = Position(Epoch(applied.epoch.value + 1), applied.lsn)
        #expect(try query(.atLeast(parted), of: .b) == .notNow(.notPrimary))
        // A ticket's too.
        pair[.b].engine.read([
            PendingRead(number: 1, level: .standby(), query: .history(TicketID(high: 7, low: 1)), connection: seat)
        ])
        try pair.pump()
        #expect(pair[.b].views.last?.outcome == .view(.history([])))
        _ = pair.kill(.b)
        try pair.run(milliseconds: 100)
        #expect(try query(.atLeast(applied), of: .a) == count)
    }
}
