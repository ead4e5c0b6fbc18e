import Replication
import Synchronization
import Testing
import Tickets

@testable import Store

@Suite("limits of the platform's SQL")
struct SQLLimitTests {
    let pair: DatabasePair
    init() throws {
        pair = try DatabasePair("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, v)")
        try pair.execute(SQLStatement("INSERT INTO t VALUES (0, 'first')"))
    }

    private static let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "

    /// A clock that goes a millisecond on whenever somebody looks.
    private func startClock() {
        let time = Counter()
        pair.primary.clock = {
            time.value += 1_000_000
            return Instant(nanoseconds: time.value)
        }
        // The executor has the clock that was there when it was made.
        pair.primary.role = .none
    }

    @Test("a transaction that takes too long is undone and refused; the others of its batch are done")
    func time() throws {
        startClock()
        let endless = SQLStatement("INSERT INTO t \(Self.numbers) 1000000000) SELECT i, i FROM n WHERE i > 500000000")
        let slow = pair.next(.execute([SQLStatement("INSERT INTO t VALUES (-1, 1)"), endless]))
        let outcomes = try pair.perform([
            pair.next(.command(openTicket(1))), pair.next(.execute([SQLStatement("INSERT INTO t VALUES (-2, 2)")])),
            slow, pair.next(.execute([SQLStatement("INSERT INTO t VALUES (-3, 3)")])),
        ])
        let refusal = Answer.refused(.tookTooLong(statement: 2, milliseconds: 5000))
        #expect(outcomes[2] == .answer(refusal, remembered: false))
        guard case .answer(.done, _) = outcomes[0] else { throw Failed() }
        // They have not begun, and come again: the batch has taken its time.
        #expect(outcomes[1] == .postponed && outcomes[3] == .postponed)
        #expect(try pair.primary.integer("SELECT count(*) FROM t") == 1)
        try pair.expectEqual()
        let again = try pair.primary.execute([slow], now: 5)
        #expect(again.outcomes == [.answer(refusal, remembered: true)])
    }

    @Test("a reading that takes too long inside a transaction is refused, too")
    func slowRead() throws {
        startClock()
        let answer = try pair.execute(
            SQLStatement("INSERT INTO t VALUES (-1, 1)"),
            SQLStatement("\(Self.numbers) 1000000000) SELECT count(*) FROM n"))
        #expect(answer == .refused(.tookTooLong(statement: 2, milliseconds: 5000)))
        #expect(try pair.primary.integer("SELECT count(*) FROM t") == 1)
        try pair.expectEqual()
    }

    @Test("more changes than an entry should hold are undone and refused")
    func changes() throws {
        let insert = "INSERT INTO t \(Self.numbers) 60) SELECT i, zeroblob(1000000) FROM n"
        let refusal = Refusal.changesTooLarge(statement: 1, limit: SQLLimits.changes)
        #expect(try pair.execute(SQLStatement(insert)) == .refused(refusal))
        #expect(try pair.primary.integer("SELECT count(*) FROM t") == 1)
        try pair.expectEqual()
    }

    @Test("more rows than an answer may hold are undone and refused")
    func answer() throws {
        let insert = "INSERT INTO t \(Self.numbers) 2000) SELECT i, hex(randomblob(500)) FROM n RETURNING v"
        #expect(try pair.execute(SQLStatement(insert)) == .refused(.resultTooLarge(statement: 1, limit: 1 << 20)))
        #expect(try pair.primary.integer("SELECT count(*) FROM t") == 1)
        try pair.expectEqual()
    }

    @Test("the statements that are kept prepared see a changed table, and give no row of before")
    func cache() throws {
        let select = SQLStatement("SELECT * FROM t")
        #expect(
            try pair.execute(select)
                == .executed([
                    StatementResult(changes: 0, columns: ["id", "v"], rows: [[.integer(0), .text("first")]])
                ]))
        try pair.change("ALTER TABLE t ADD COLUMN w DEFAULT 5")
        #expect(
            try pair.execute(select, SQLStatement("DELETE FROM t"), select)
                == .executed([
                    StatementResult(
                        changes: 0, columns: ["id", "v", "w"], rows: [[.integer(0), .text("first"), .integer(5)]]),
                    StatementResult(changes: 1), StatementResult(changes: 0, columns: ["id", "v", "w"]),
                ]))
        for number in 0..<200 { try pair.execute(SQLStatement("INSERT INTO t VALUES (\(number), 1, 1)")) }
        try pair.expectEqual()
    }

    private final class Counter { var value: UInt64 = 0 }
}
