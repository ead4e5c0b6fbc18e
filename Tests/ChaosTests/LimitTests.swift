import Daemon
import Foundation
import Replication
import Seat
import TestSupport
import Testing
import Tickets

@testable import Commands

/// What a running pair keeps within limits: its log, the time of a statement, the age of what a standby shows.
extension ProcessTests.LimitTests {
    @Test("what both nodes have and is older than log-keep goes from the log, and nothing from the tickets")
    func logKeep() async throws {
        let faulty = try FaultyPair(settings: "segment-size: 1MiB\nlog-keep: 1s")
        try await faulty.start()
        try await faulty.writeLong(megabytes: 4)
        // The crew's writes go on: a segment is let go of at a checkpoint.
        try await faulty.wait { sight in NodeName.allCases.allSatisfy { sight.nodes[$0].value?.logFirst ?? 1 > 1 } }
        #expect(try await faulty.sight().isPaired)
        try await faulty.audit()
    }

    @Test("a statement without end is undone and refused, a query by its own limit; what waited for it is done")
    func endless() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let service = try SeatClient(configuration: faulty.pair.service)
        _ = try await service.changeSchema("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY)", within: Pace.inVain)
        let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"

        let query = SQLQuery("\(numbers) SELECT count(*) FROM n", timeLimit: 200)
        await #expect(throws: SeatError.refused(.tookTooLong(statement: 1, milliseconds: 200))) {
            try await service.query(query, within: Pace.inVain)
        }
        let statements = [
            SQLStatement("INSERT INTO t VALUES (-1)"),
            SQLStatement("INSERT INTO t \(numbers) SELECT i FROM n WHERE i < 0"),
        ]
        await #expect(throws: SeatError.refused(.tookTooLong(statement: 2, milliseconds: 5000))) {
            try await service.execute(statements, within: Pace.inVain)
        }
        let rows = try await service.query(SQLQuery("SELECT count(*) FROM t"), within: Pace.inVain).rows
        #expect(rows == [[.integer(0)]])
        await service.close()
        try await faulty.waitForWrites(100)
        try await faulty.audit()
    }

    @Test("a standby that lags is not taken for what is no older than asked: the primary answers")
    func age() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let standby = try await faulty.primary().other
        let seat = try SeatClient(configuration: faulty.pair.seat(1))
        let ticket = TicketID(milliseconds: 1_700_000_000_000, random: (1, .random(in: 0 ... .max)))
        let open = OpenTicket(id: ticket, openedAt: 1_700_000_000_000, category: "Street lights", text: "dark")
        _ = try await seat.perform(.open(open), within: Pace.inVain)
        // Each page that its database writes, while its log is as fast as ever.
        try faulty.disk(of: standby, "database-delay-ms 30")
        for number in 1...20 {
            _ = try await seat.perform(.note(ticket, text: "\(number)"), within: Pace.inVain)
            let view = try await withCheckedContinuation { answer in
                seat.query(.history(ticket), level: .standby(maxAge: .milliseconds(1)), within: Pace.inVain) {
                    answer.resume(returning: $0)
                }
            }.get()
            guard case .history(let rows) = view else { throw Failure("no history: \(view)") }
            #expect(rows.last?.note == "\(number)")
        }
        try faulty.disk(of: standby)
        await seat.close()
        try await faulty.wait { $0.isPaired }
        try await faulty.audit()
    }
}
