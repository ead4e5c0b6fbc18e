import Foundation
import NIOCore
import Replication
import Seat
import Synchronization
import TestSupport
import Testing
import Tickets
import Wire

@testable import Daemon

/// The platform's SQL on a real pair, over TLS, through the seat library.
@Suite(.serialized) struct SQLPairTests {
    private func service(_ running: RunningPair) throws -> SeatClient {
        try running.pair.issue("service/platform")
        return try SeatClient(configuration: running.pair.seat("service/platform"))
    }

    @Test("transactions, schema changes and queries go on across switchovers, once each")
    func acrossSwitchovers() async throws {
        try await RunningPair.with { running in
            try await running.format()
            let platform = try service(running)
            #expect(
                try await platform.changeSchema(
                    "CREATE TABLE calls (id INTEGER NOT NULL PRIMARY KEY, number INTEGER NOT NULL UNIQUE, luck)",
                    within: Pace.inVain) == 2)
            let transactions = 100
            let insert = "INSERT INTO calls (number, luck) VALUES (?, random()) RETURNING number, luck"
            let lucks = try await withThrowingTaskGroup(of: [SQLValue].self) { group in
                for number in 0..<transactions {
                    group.addTask {
                        let statement = SQLStatement(insert, [.integer(Int64(number))], expect: 1)
                        return try await platform.execute([statement], within: Pace.inVain)[0].rows[0]
                    }
                    guard number == transactions / 2 else { continue }
                    try await running.switchOver(from: .a)
                    group.addTask {
                        try await platform.changeSchema(
                            "ALTER TABLE calls ADD COLUMN note TEXT NOT NULL DEFAULT ''", within: Pace.inVain)
                        return []
                    }
                }
                var lucks: [[SQLValue]] = []
                for try await row in group where !row.isEmpty { lucks.append(row) }
                return lucks
            }
            try await running.waitUntilEqual()
            let query = SQLQuery("SELECT number, luck FROM calls")
            let found = try await platform.query(query, within: Pace.inVain)
            #expect(Set(found.rows) == Set(lucks) && found.rows.count == transactions)
            let position = SeatClient.ReadLevel.atLeast(epoch: found.epoch, lsn: found.lsn)
            let elsewhere = try await platform.query(query, level: position, within: Pace.inVain)
            #expect(elsewhere.rows == found.rows && elsewhere.lsn >= found.lsn)
            try await running.waitUntilEqual()
            #expect(try await platform.query(query, level: .standby(), within: Pace.inVain).rows.count == transactions)
            await platform.close()
        }
    }

    @Test("the same name gives the same rows of RETURNING from either node")
    func sameName() async throws {
        try await RunningPair.with { running in
            try await running.format()
            let platform = try service(running)
            try await platform.changeSchema("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, v)", within: Pace.inVain)
            // The schema change was the session's first request.
            let name = RequestName(session: 1, sequence: 2)
            let statements = [SQLStatement("INSERT INTO t (v) VALUES (random()), (random()) RETURNING id, v")]
            let first = try await platform.execute(statements, within: Pace.inVain)
            #expect(first[0].rows.count == 2)
            #expect(try await platform.execute(statements, again: name, within: Pace.inVain) == first)
            running.stoppers["a"]?.request()
            try await running.wait(for: .b) { $0.standing.role == .primary }
            #expect(try await platform.execute(statements, again: name, within: Pace.inVain) == first)
            #expect(
                try await platform.query(SQLQuery("SELECT count(*) FROM t"), within: Pace.inVain).rows == [
                    [.integer(2)]
                ])
            await platform.close()
        }
    }

    @Test("only a service's certificate may use SQL, and what it may not do is refused")
    func refusals() async throws {
        try await RunningPair.with { running in
            try await running.format()
            let seat = try SeatClient(configuration: running.pair.seat)
            let needsService = SeatError.refused(.needsService(actor: "seat/1"))
            await #expect(throws: needsService) {
                try await seat.execute([SQLStatement("SELECT 1")], within: Pace.inVain)
            }
            await #expect(throws: needsService) { try await seat.changeSchema("DROP TABLE t", within: Pace.inVain) }
            await #expect(throws: needsService) { try await seat.query(SQLQuery("SELECT 1"), within: Pace.inVain) }
            await seat.close()

            let platform = try service(running)
            await #expect(
                throws: SeatError.refused(
                    .statementFailed(
                        statement: 2, reason: "sessions is Twinline's own table; it may only be read"))
            ) {
                try await platform.execute(
                    [SQLStatement("SELECT 1"), SQLStatement("DELETE FROM sessions")], within: Pace.inVain)
            }
            await #expect(throws: SeatError.refused(.malformed(field: "statements"))) {
                try await platform.execute([], within: Pace.inVain)
            }
            let large = SQLStatement("SELECT ?", [.blob(Array(repeating: 0, count: 3 << 20))])
            await #expect(throws: SeatError.self) { try await platform.execute([large], within: Pace.inVain) }
            // A service may do to tickets what a seat may, and everything goes on.
            let ticket = TicketID(milliseconds: 1_700_000_000_000, random: (1, 2))
            _ = try await platform.perform(
                .open(OpenTicket(id: ticket, openedAt: 5, category: "c", text: "t")), within: Pace.inVain)
            let rows = try await platform.query(
                SQLQuery("SELECT count(*) FROM tickets"), level: .standby(), within: Pace.inVain
            ).rows
            #expect(rows == [[.integer(1)]] || rows == [[.integer(0)]])
            await platform.close()
        }
    }

    @Test("a query that runs keeps no ticket waiting")
    func slowQuery() async throws {
        try await RunningPair.with { running in
            try await running.format()
            let platform = try service(running)
            let endless = SQLQuery(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
                timeLimit: 60_000)
            let isOver = Atomic(false)
            let slow = Task {
                defer { isOver.store(true, ordering: .relaxed) }
                return try await platform.query(endless, within: Pace.inVain)
            }
            let seat = try SeatClient(configuration: running.pair.seat)
            let ticket = TicketID(milliseconds: 1_700_000_000_000, random: (1, 2))
            _ = try await seat.perform(
                .open(OpenTicket(id: ticket, openedAt: 5, category: "c", text: "t")), within: Pace.inVain)
            #expect(try await seat.show(ticket, within: Pace.inVain)?.id == ticket)
            let wasOver = isOver.load(ordering: .relaxed)
            #expect(!wasOver)
            await seat.close()
            await platform.close()
            // Or by its own limit, of a minute.
            await #expect(throws: SeatError.self) { try await slow.value }
        }
    }
}
