import Replication
import Testing
import Tickets

@testable import Store

@Suite("executing as primary")
struct ExecuteTests {
    let folder: TemporaryFolder
    let database: ReplicatedDatabase
    let session: Int64

    init() throws {
        folder = try TemporaryFolder()
        database = try ReplicatedDatabase.create(at: folder.file("db"))
        session = try database.openSession().session
    }

    private func request(
        _ sequence: Int64, _ command: Command, answeredBelow: Int64 = 0, actor: String = "seat/1"
    ) -> StoreRequest {
        StoreRequest(
            session: session, sequence: sequence, answeredBelow: answeredBelow, actor: actor, body: .command(command))
    }

    private func outcome(_ request: StoreRequest, now: Int64 = 1000) throws -> Outcome? {
        try database.perform([request], now: now).batch.outcomes.first
    }

    @Test("a ticket goes its way, and every step is a row of its history")
    func wholeWay() throws {
        let id = ticketID(1)
        let steps: [(Command, Ticket.State)] = [
            (openTicket(1), .open), (.dispatch(id, unit: "roads", note: "please"), .dispatched),
            (.accept(id, note: ""), .accepted), (.return(id, reason: "not ours"), .returned),
            (.dispatch(id, unit: "water", note: ""), .dispatched), (.accept(id, note: ""), .accepted),
            (.complete(id, result: "mended"), .completed), (.note(id, text: "thanks"), .completed),
        ]
        for (index, (command, state)) in steps.enumerated() {
            let done = Done(ticket: id, state: state, revision: Int64(index + 1))
            #expect(
                try outcome(request(Int64(index + 1), command), now: 2000 + Int64(index))
                    == .answer(.done(done), remembered: false))
        }
        let (position, views) = try DatabaseReader(at: database.path).read([.show(id), .history(id)])
        #expect(position == database.applied)
        guard case .ticket(let ticket?) = views[0], case .history(let rows) = views[1] else {
            Issue.record("no ticket or no history")
            return
        }
        #expect((ticket.state, ticket.unit, ticket.revision) == (.completed, "water", 8))
        #expect((ticket.caller, ticket.category, ticket.text) == ("Li", "water", "a pipe burst"))
        #expect(rows.map(\.revision) == Array(1...8))
        #expect(rows.map(\.state) == steps.map(\.1))
        #expect(rows.map(\.unit) == ["", "roads", "roads", "roads", "water", "water", "water", "water"])
        #expect(rows.map(\.note) == ["", "please", "", "not ours", "", "", "mended", "thanks"])
        #expect(rows.map(\.at) == Array(2000...2007))
        #expect(rows.allSatisfy { $0.actor == "seat/1" && $0.ticket == id })
        #expect(try database.recomputeDigest() == database.digest)
    }

    @Test("a refusal is stored like an answer, and changes nothing else")
    func refusals() throws {
        _ = try outcome(request(1, openTicket(1)))
        let id = ticketID(1), other = ticketID(2)
        let cases: [(Command, Refusal)] = [
            (openTicket(1), .ticketExists(id)), (.accept(other, note: ""), .noSuchTicket(other)),
            (.complete(id, result: ""), .notInState(id, state: .open, action: .complete)),
            (.return(id, reason: ""), .missing(field: "reason")),
            (
                .dispatch(id, unit: String(repeating: "x", count: 257), note: ""),
                .textTooLong(field: "unit", bytes: 257, limit: 256)
            ),
        ]
        for (index, (command, refusal)) in cases.enumerated() {
            let sequence = Int64(index + 2)
            #expect(try outcome(request(sequence, command)) == .answer(.refused(refusal), remembered: false))
            // Even when it would succeed by now.
            #expect(
                try outcome(request(sequence, .note(id, text: "x"))) == .answer(.refused(refusal), remembered: true))
        }
        let (_, views) = try DatabaseReader(at: database.path).read([.history(id), .show(other)])
        guard case .history(let rows) = views[0] else { return }
        #expect(rows.count == 1)
        #expect(views[1] == .ticket(nil))
        #expect(try database.recomputeDigest() == database.digest)
    }

    @Test("a second copy of a request has the first one's answer, in the same batch, later, and after a restart")
    func copies() throws {
        let copy = request(1, openTicket(1))
        let answer = Answer.done(Done(ticket: ticketID(1), state: .open, revision: 1))
        let batch = try database.perform([copy, copy, request(2, openTicket(2)), copy]).batch
        #expect(batch.outcomes[0] == .answer(answer, remembered: false))
        #expect(batch.outcomes[1] == .answer(answer, remembered: true))
        #expect(batch.outcomes[3] == .answer(answer, remembered: true))
        let again = try database.perform([copy])
        #expect(again.batch.outcomes == [.answer(answer, remembered: true)])
        #expect(again.entry == nil)
        #expect(!database.hasOpenBatch)
        let reopened = try ReplicatedDatabase.open(at: database.path)
        #expect(try reopened.execute([copy], now: 5).outcomes == [.answer(answer, remembered: true)])
    }

    @Test("withdrawing a request gives the answer that it had, or sees to it that it never happens")
    func withdrawal() throws {
        func withdrawn(_ sequence: Int64) -> StoreRequest {
            StoreRequest(session: session, sequence: sequence, actor: "seat/1", body: .withdraw)
        }
        let done = Answer.done(Done(ticket: ticketID(1), state: .open, revision: 1))
        #expect(try outcome(request(1, openTicket(1))) == .answer(done, remembered: false))
        #expect(try outcome(withdrawn(1)) == .answer(done, remembered: true))
        let never = Answer.refused(.withdrawn)
        #expect(try outcome(withdrawn(2)) == .answer(never, remembered: false))
        // The late original, and a copy of it in the batch that withdraws it.
        #expect(try outcome(request(2, openTicket(2))) == .answer(never, remembered: true))
        let batch = try database.perform([withdrawn(3), request(3, openTicket(3)), withdrawn(3)]).batch
        #expect(
            batch.outcomes == [
                .answer(never, remembered: false), .answer(never, remembered: true), .answer(never, remembered: true),
            ])
        #expect(try database.integer("SELECT count(*) FROM tickets") == 1)
        #expect(try database.recomputeDigest() == database.digest)
    }

    @Test("requests of a session that is unknown, or that another name opened, are not run")
    func unknownSession() throws {
        var stranger = request(1, openTicket(1))
        stranger.session = session + 1
        #expect(try outcome(stranger) == .unknownSession)
        #expect(try outcome(request(1, openTicket(1), actor: "seat/2")) == .unknownSession)
        #expect(database.applied.lsn == LSN(1))
    }

    @Test("answers that the seat has are forgotten, and their requests never run again")
    func window() throws {
        for number in 1...100 {
            let sequence = Int64(number)
            _ = try outcome(request(sequence, openTicket(UInt64(number)), answeredBelow: sequence - 1))
        }
        #expect(try outcome(request(1, openTicket(1000))) == .windowExpired)
        #expect(try outcome(request(60, openTicket(1000))) == .windowExpired)
        guard case .answer(.done, remembered: true) = try outcome(request(100, openTicket(1000))) else {
            Issue.record("the last answer is forgotten")
            return
        }
        #expect(try database.integer("SELECT count(*) FROM answers") <= 18)
        let reopened = try ReplicatedDatabase.open(at: database.path)
        #expect(try reopened.execute([request(60, openTicket(1000))], now: 5).outcomes == [.windowExpired])
    }

    @Test("a request that was passed over still runs while the seat has no answers above it")
    func outOfOrder() throws {
        _ = try outcome(request(5, openTicket(5)))
        _ = try outcome(request(3, openTicket(3)))
        guard case .answer(.done, remembered: true) = try outcome(request(3, openTicket(9))) else {
            Issue.record("the answer to 3 is not remembered")
            return
        }
        _ = try outcome(request(6, openTicket(6), answeredBelow: 5))
        #expect(try outcome(request(4, openTicket(4))) == .windowExpired)
    }

    @Test("session numbers are never used again")
    func sessionNumbers() throws {
        #expect(session == 1)
        _ = try outcome(request(1, openTicket(1)))
        let expire = StoreRequest(actor: "node/a", body: .expireSessions(before: 5000))
        #expect(try database.perform([expire]).batch.outcomes == [.sessionsExpired(1)])
        #expect(try outcome(request(1, openTicket(1))) == .unknownSession)
        #expect(try database.openSession().session == 2)
        #expect(try database.perform([expire]).batch.outcomes == [.sessionsExpired(1)])
        #expect(try database.perform([expire]).entry == nil)
        #expect(try database.recomputeDigest() == database.digest)
    }

    @Test("a session's last word keeps it, to the hour")
    func lastWord() throws {
        _ = try outcome(request(1, openTicket(1)), now: 3_000_000)
        _ = try outcome(request(2, openTicket(2)), now: 4_000_000)
        #expect(
            try database.perform([StoreRequest(actor: "", body: .expireSessions(before: 3_999_999))]).batch.outcomes
                == [.sessionsExpired(0)])
    }

    @Test("a request that the database can't do is undone, alone")
    func failedRequest() throws {
        try database.run(
            """
            CREATE TRIGGER fail AFTER INSERT ON history WHEN new.note = '' AND new.ticket = x'\(ticketID(2))'
            BEGIN UPDATE counters SET value = 99; SELECT raise(ABORT, 'planned'); END;
            """)
        let batch = try database.perform([
            request(1, openTicket(1)), request(2, openTicket(2)), request(3, openTicket(3)),
        ])
        guard case .failed(.sql) = batch.batch.outcomes[1] else {
            Issue.record("\(batch.batch.outcomes[1])")
            return
        }
        guard case .answer(.done, _) = batch.batch.outcomes[2] else {
            Issue.record("\(batch.batch.outcomes[2])")
            return
        }
        #expect(try database.recomputeDigest() == database.digest)
        let standby = try ReplicatedDatabase.create(at: folder.file("standby"))
        let first = try ReplicatedDatabase.create(at: folder.file("again")).openSession()
        try standby.apply([try #require(first.entry), try #require(batch.entry)])
        #expect(try standby.dump() == database.dump())
    }

    @Test("what is not committed is seen by nobody, and a rolled-back batch comes back from the log")
    func rollBackThenApply() throws {
        let reader = try DatabaseReader(at: database.path)
        let before = (digest: database.digest, rows: try database.dump())
        let batch = try database.execute([request(1, openTicket(1))], now: 5)
        #expect(try reader.read([.show(ticketID(1))]).1 == [.ticket(nil)])
        database.rollBack()
        #expect(database.digest == before.digest)
        #expect(try database.dump() == before.rows)
        let entry = Entry(
            position: Position(Epoch(2), LSN(2)), kind: .changes, schemaVersion: 1, digest: batch.digest,
            payload: batch.changeset)
        try database.apply([entry])
        #expect(database.digest == batch.digest)
        // As primary again: the answer is known.
        guard case .answer(.done, remembered: true)? = try outcome(request(1, openTicket(1))) else {
            Issue.record("the applied answer is not remembered")
            return
        }
    }

    @Test("a batch that was never committed is gone after a restart, and comes back from the log")
    func crashBeforeCommit() throws {
        let batch: Batch
        do {
            let lost = try ReplicatedDatabase.open(at: database.path)
            batch = try lost.execute([request(1, openTicket(1))], now: 5)
        }
        let reopened = try ReplicatedDatabase.open(at: database.path)
        #expect(reopened.applied == database.applied)
        #expect(try reopened.dump() == database.dump())
        try reopened.apply([
            Entry(
                position: Position(Epoch(1), LSN(2)), kind: .changes, schemaVersion: 1, digest: batch.digest,
                payload: batch.changeset)
        ])
        #expect(try reopened.recomputeDigest() == batch.digest)
    }
}
