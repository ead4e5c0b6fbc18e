import Replication
import Testing
import Tickets

@testable import Store

@Suite("the platform's queries")
struct QueryTests {
    let pair: DatabasePair
    let reader: QueryReader
    private let time = Time()

    init() throws {
        pair = try DatabasePair("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, v)")
        try pair.execute(SQLStatement("INSERT INTO t VALUES (1, 'a'), (2, x'ff'), (3, NULL), (4, 2.5)"))
        reader = try QueryReader(at: pair.standby.path) { [time] in
            time.value += 1_000_000
            return Instant(nanoseconds: time.value)
        }
    }

    private final class Time { var value: UInt64 = 0 }

    @Test("a snapshot that SQLite has ended by itself, as when memory is full, is no failure of the connection")
    func endedBySQLite() throws {
        let reading = try ReadConnection(at: pair.standby.path)
        let refused = try reading.snapshot { _ throws(StoreError) in
            try reading.connection.execute("ROLLBACK")
            return true
        }
        #expect(refused)
        #expect(try reading.snapshot { position in position } == pair.primary.applied)
    }

    @Test("a query sees what is committed, and says where that is")
    func reads() throws {
        let query = SQLQuery("SELECT id, v FROM t WHERE id > ? ORDER BY id", [.integer(1)])
        let (position, found) = try reader.read(query)
        #expect(position == pair.primary.applied)
        let rows: [[SQLValue]] = [[.integer(2), .blob([0xff])], [.integer(3), .null], [.integer(4), .real(2.5)]]
        #expect(found == .success(SQLRows(columns: ["id", "v"], rows: rows)))
        try pair.execute(SQLStatement("DELETE FROM t WHERE id > 1"))
        #expect(try reader.read(query).1 == .success(SQLRows(columns: ["id", "v"], rows: [])))
        try pair.change("ALTER TABLE t RENAME COLUMN v TO w")
        #expect(
            try reader.read(SQLQuery("SELECT w FROM t")).1 == .success(SQLRows(columns: ["w"], rows: [[.text("a")]])))
        // Twinline's own tables, definitions and what SQLite tells of them.
        for sql in [
            "SELECT * FROM tickets", "SELECT * FROM sqlite_schema", "SELECT * FROM pragma_table_info('t')",
            "SELECT * FROM json_each('[1]')", "EXPLAIN QUERY PLAN SELECT * FROM t", "PRAGMA table_info(t)",
        ] {
            guard case .success = try reader.read(SQLQuery(sql)).1 else {
                Issue.record("\(sql): \(try reader.read(SQLQuery(sql)).1)")
                continue
            }
        }
    }

    @Test("rows over the limit are cut off, and the answer says so; so are more than 4 MiB")
    func cutOff() throws {
        let few = try reader.read(SQLQuery("SELECT id FROM t ORDER BY id", rowLimit: 2)).1
        #expect(few == .success(SQLRows(columns: ["id"], rows: [[.integer(1)], [.integer(2)]], isTruncated: true)))
        let all = try reader.read(SQLQuery("SELECT id FROM t", rowLimit: 4)).1
        guard case .success(let whole) = all else { throw Failed() }
        #expect(!whole.isTruncated)
        let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT zeroblob(1000000) FROM n"
        guard case .success(let found) = try reader.read(SQLQuery(many)).1 else { throw Failed() }
        #expect(found.isTruncated && found.rows.count == 4)
        let large = try reader.read(SQLQuery("SELECT zeroblob(4000000), zeroblob(4000000)")).1
        #expect(large == .failure(.resultTooLarge(statement: 1, limit: 4 << 20)))
    }

    @Test("a query that takes too long, or is given up, ends; the next one is whole")
    func ends() throws {
        func endless(_ limit: Int) -> SQLQuery {
            let text = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
            return SQLQuery(text, timeLimit: limit)
        }
        #expect(try reader.read(endless(300)).1 == .failure(.tookTooLong(statement: 1, milliseconds: 300)))
        var asked = 0
        let given = try reader.read(endless(1_000_000_000)) {
            asked += 1
            return asked < 5
        }
        #expect(given.1 == .failure(.tookTooLong(statement: 1, milliseconds: 1_000_000_000)))
        #expect(asked == 5)
        guard case .success = try reader.read(SQLQuery("SELECT 1")).1 else { throw Failed() }
    }

    @Test(
        "what is no reading is refused with a sentence",
        arguments: [
            ("DELETE FROM t", "a query changes nothing; send it as a transaction"),
            ("WITH x AS (SELECT 1) INSERT INTO t SELECT 9, 9", "a query changes nothing; send it as a transaction"),
            ("DELETE FROM t RETURNING id", "a query changes nothing; send it as a transaction"),
            ("CREATE TABLE u (a INTEGER NOT NULL PRIMARY KEY)", "it changes the schema"),
            ("BEGIN", "transactions and savepoints are Twinline's"), ("COMMIT", "transactions and savepoints"),
            ("PRAGMA query_only = OFF", "PRAGMA is not allowed"), ("ATTACH '/tmp/x' AS x", "other databases can't"),
            ("SELECT 1; SELECT 2", "it is more than one statement; send each by itself"), ("", "it is no statement"),
            ("SELECT load_extension('x')", ""), ("SELECT nothing_like_it", "no such column: nothing_like_it"),
            ("SELECT ?", "it has 1 parameters, and 0 values were given"), ("VACUUM", ""),
            ("CREATE TEMP TABLE x (a)", ""),
        ])
    func refused(_ sql: String, _ expected: String) throws {
        guard case .failure(.statementFailed(1, let reason)) = try reader.read(SQLQuery(sql)).1 else {
            Issue.record("\(try reader.read(SQLQuery(sql)).1)")
            return
        }
        #expect(reason.hasPrefix(expected), "\(reason)")
        guard case .success = try reader.read(SQLQuery("SELECT 1")).1 else { throw Failed() }
        try pair.expectEqual()
    }

    @Test("an open index build keeps no reader waiting")
    func besideTheWriter() throws {
        let request = pair.next(.changeSchema("CREATE INDEX t_v ON t (v)"))
        let ticket = pair.next(.command(openTicket(1)))
        try pair.perform([ticket])
        let tickets = try DatabaseReader(at: pair.primary.path)
        let queries = try QueryReader(at: pair.primary.path) { Instant(nanoseconds: 0) }
        let batch = try pair.primary.execute([request], now: 5)
        #expect(batch.kind == .schema)
        let (position, views) = try tickets.read([.show(ticketID(1))])
        #expect(position == pair.primary.applied && views.count == 1)
        let count = try queries.read(SQLQuery("SELECT count(*) FROM t")).1
        #expect(count == .success(SQLRows(columns: ["count(*)"], rows: [[.integer(4)]])))
        pair.primary.rollBack()
    }
}
