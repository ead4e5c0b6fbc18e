import Replication
import Testing
import Tickets

@testable import Store

@Suite("schema changes")
struct SchemaChangeTests {
    let pair: DatabasePair
    init() throws { pair = try DatabasePair() }

    @Test("tables, columns, indexes, triggers and views change on both nodes alike, and changes go on after it")
    func changes() throws {
        #expect(
            try pair.change(
                """
                CREATE TABLE units (name TEXT NOT NULL PRIMARY KEY, size REAL); -- a comment
                CREATE TABLE stock (unit TEXT NOT NULL, part TEXT NOT NULL, PRIMARY KEY (unit, part)) WITHOUT ROWID;
                CREATE INDEX stock_by_part ON stock (part); CREATE VIEW parts AS SELECT DISTINCT part FROM stock;
                CREATE TRIGGER fill AFTER INSERT ON units BEGIN INSERT INTO stock VALUES (new.name, 'pump'); END;
                """) == .schemaChanged(version: 2))
        try pair.execute(SQLStatement("INSERT INTO units VALUES ('roads', 7), ('water', 8)"))
        let changes = [
            "ALTER TABLE units ADD COLUMN language TEXT NOT NULL DEFAULT 'de'; ALTER TABLE units ADD COLUMN seen",
            "ALTER TABLE units RENAME COLUMN size TO people", "ALTER TABLE units RENAME TO teams",
            "ALTER TABLE teams DROP COLUMN seen", "DROP VIEW parts; DROP TABLE IF EXISTS nowhere",
            "CREATE TABLE IF NOT EXISTS teams (a)", "DROP TRIGGER fill; DROP INDEX stock_by_part",
            "DROP TABLE stock; CREATE TABLE stock (id INTEGER NOT NULL PRIMARY KEY, r REAL DEFAULT (random()))",
        ]
        for (index, sql) in changes.enumerated() {
            #expect(try pair.change(sql) == .schemaChanged(version: UInt32(index + 3)), "\(sql)")
            try pair.expectEqual()
            // The rows that were there before.
            try pair.execute(SQLStatement("UPDATE \(index < 2 ? "units" : "teams") SET language = language || 'x'"))
            try pair.expectEqual()
        }
        try pair.execute(SQLStatement("DELETE FROM teams"), SQLStatement("INSERT INTO stock (id) VALUES (1), (2)"))
        try pair.perform([pair.next(.command(openTicket(1)))])
        try pair.expectEqual()
        let reopened = try ReplicatedDatabase.open(at: pair.standby.path)
        #expect(reopened.schemaVersion == 10)
        #expect(reopened.tables.map(\.name) == pair.primary.tables.map(\.name))
    }

    @Test("only the tables that change are read for the digest, and none for an index")
    func digestInPassing() throws {
        try pair.change(
            "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, v); CREATE TABLE u (id TEXT NOT NULL PRIMARY KEY)")
        try pair.execute(SQLStatement("INSERT INTO t VALUES (1, 2)"), SQLStatement("INSERT INTO u VALUES ('a')"))
        // A digest that is off by one tells which sums are made anew.
        let wrong = pair.primary.digest.value &+ 1
        try pair.primary.run("UPDATE _twinline_applied SET digest_low = \(Int64(truncatingIfNeeded: wrong))")
        let primary = try ReplicatedDatabase.open(at: pair.primary.path)
        let before = try primary.recomputeDigest()
        try primary.sql(.changeSchema("CREATE INDEX t_v ON t (v)"), pair.session, 50)
        #expect(primary.digest.value != before.value)
        #expect(try primary.recomputeDigest().value &+ 1 == primary.digest.value)
        try primary.sql(.changeSchema("ALTER TABLE t RENAME TO w"), pair.session, 51)
        #expect(try primary.recomputeDigest().value &+ 1 == primary.digest.value)
    }

    @Test(
        "what can't be kept the same on both nodes is refused with a sentence",
        arguments: [
            ("CREATE TABLE t (a)", "the table t can't be replicated: it has no primary key"),
            (
                "CREATE TABLE t (a TEXT PRIMARY KEY)",
                "the table t can't be replicated: its key column a is not declared"
            ),
            (
                "CREATE TABLE t (a INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT)",
                "the table t can't be replicated: its column a is AUTO"
            ),
            (
                "CREATE TABLE t (a INTEGER NOT NULL PRIMARY KEY, b AS (a + 1))",
                "the table t can't be replicated: its column b is gen"
            ),
            ("CREATE VIRTUAL TABLE t USING fts5(a)", "t is a virtual table, which can't be replicated"),
            ("CREATE TEMP TABLE t (a INTEGER NOT NULL PRIMARY KEY)", "temporary tables, indexes"),
            ("CREATE TEMP TRIGGER g AFTER INSERT ON s BEGIN SELECT 1; END", "temporary tables, indexes"),
            ("CREATE TABLE t AS SELECT 1 AS a", "CREATE TABLE AS makes a table without a key"),
            (
                "CREATE TABLE t (\((0...64).map { "c\($0) NOT NULL" }.joined(separator: ", ")), PRIMARY KEY (c0))",
                "the table t can't be replicated: it has more than 64 columns"
            ),
            ("ALTER TABLE s ADD COLUMN c AS (v + 1)", "the table s can't be replicated: its column c is generated"),
            ("ALTER TABLE s ADD COLUMN c DEFAULT (random())", "Cannot add a column with non-constant default"),
            ("CREATE UNIQUE INDEX i ON s (v)", "UNIQUE constraint failed: s.v"),
            ("CREATE INDEX i ON s (v COLLATE localizedCompare)", "no such collation sequence: localizedCompare"),
            ("CREATE INDEX i ON s (swiftLowercaseString(v))", "no such function: swiftLowercaseString"),
            ("CREATE INDEX i ON s (random())", "non-deterministic functions prohibited in index expressions"),
            ("DROP TABLE tickets", "tickets is Twinline's own table; it may not be touched"),
            ("ALTER TABLE answers ADD COLUMN x", "answers is Twinline's own table; it may not be touched"),
            ("CREATE INDEX i ON tickets (text)", "tickets is Twinline's own table; it may not be touched"),
            ("DROP INDEX tickets_by_state", "tickets is Twinline's own table; it may not be touched"),
            ("CREATE TRIGGER g AFTER INSERT ON tickets BEGIN SELECT 1; END", "tickets is Twinline's own table"),
            ("CREATE TABLE _Twinline_x (a INTEGER NOT NULL PRIMARY KEY)", "names that begin with _twinline"),
            ("ALTER TABLE s RENAME TO _twinline_s", "names that begin with _twinline are Twinline's"),
            ("INSERT INTO s VALUES (9, 9)", "it changes rows; send it as a transaction"),
            ("DELETE FROM s", "it changes rows; send it as a transaction"), ("SELECT 1", "it is no schema change"),
            ("PRAGMA user_version = 5", "PRAGMA is not allowed"), ("ATTACH ':memory:' AS o", "other databases can't"),
            ("COMMIT", "transactions and savepoints are Twinline's"), ("SAVEPOINT s", "transactions and savepoints"),
            ("ANALYZE", "ANALYZE is each node's own"), ("VACUUM", ""),
            ("CREATE TABEL t", "near \"TABEL\": syntax error"),
        ])
    func refused(_ sql: String, _ expected: String) throws {
        try pair.change("CREATE TABLE s (id INTEGER NOT NULL PRIMARY KEY, v)")
        try pair.execute(SQLStatement("INSERT INTO s VALUES (1, 5), (2, 5)"))
        let tables = pair.primary.tables.map(\.name)
        let answer = try pair.change("CREATE TABLE before (a INTEGER NOT NULL PRIMARY KEY); \(sql); DROP TABLE s")
        guard case .refused(.statementFailed(2, let reason)) = answer else {
            Issue.record("\(answer as Any)")
            return
        }
        #expect(reason.hasPrefix(expected), "\(reason)")
        #expect(pair.primary.schemaVersion == 2)
        #expect(pair.primary.tables.map(\.name) == tables)
        #expect(try pair.primary.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'before'") == 0)
        try pair.expectEqual()
        try pair.execute(SQLStatement("DELETE FROM s"))
        try pair.expectEqual()
    }

    @Test("a schema change happens once, and its answer is remembered, also a refusal's")
    func once() throws {
        let request = pair.next(.changeSchema("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY)"))
        #expect(try pair.perform([request]) == [.answer(.schemaChanged(version: 2), remembered: false)])
        #expect(try pair.perform([request]) == [.answer(.schemaChanged(version: 2), remembered: true)])
        let refused = pair.next(.changeSchema("DROP TABLE nowhere"))
        let refusal = Answer.refused(.statementFailed(statement: 1, reason: "no such table: nowhere"))
        #expect(try pair.perform([refused]) == [.answer(refusal, remembered: false)])
        #expect(try pair.perform([refused]) == [.answer(refusal, remembered: true)])
        let stranger = StoreRequest(session: 99, sequence: 1, actor: "service/1", body: .changeSchema("DROP TABLE t"))
        #expect(try pair.perform([stranger]) == [.unknownSession])
        // Among others it is put off: it has to be an entry by itself.
        let mixed = [pair.next(.command(openTicket(1))), pair.next(.changeSchema("DROP TABLE t"))]
        #expect(try pair.perform(mixed)[1] == .postponed)
        try pair.expectEqual()
    }

    @Test("an open schema change that is rolled back leaves no trace, and may come back as an entry")
    func rolledBack() throws {
        let before = (try pair.primary.dump(), pair.primary.standing)
        let request = pair.next(.changeSchema("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY)"))
        let batch = try pair.primary.execute([request], now: 5)
        #expect(batch.kind == .schema && pair.primary.hasOpenBatch)
        pair.primary.rollBack()
        #expect(try pair.primary.dump() == before.0)
        #expect(pair.primary.standing == before.1)
        let entry = Entry(
            position: Position(Epoch(1), pair.primary.applied.lsn.next), kind: .schema, schemaVersion: 1,
            digest: batch.digest, payload: batch.changeset)
        try pair.primary.apply([entry])
        try pair.apply(entry)
        try pair.expectEqual()
        try pair.execute(SQLStatement("INSERT INTO t VALUES (1)"))
        try pair.expectEqual()
    }

    @Test("a payload that is cut short or changed is refused, and applies nothing")
    func garbled() throws {
        let request = pair.next(.changeSchema("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY)"))
        let (_, made) = try pair.primary.perform([request])
        let entry = try #require(made)
        let before = (try pair.standby.dump(), pair.standby.standing)
        for length in 0..<entry.payload.count {
            var short = entry
            short.payload = Array(entry.payload[..<length])
            #expect(throws: StoreError.self) { try pair.standby.apply([short]) }
        }
        for bit in 0..<entry.payload.count * 8 {
            var flipped = entry
            flipped.payload[bit / 8] ^= 1 << (bit % 8)
            // Between two letters of the SQL, only a case or a space can be another way to say the same.
            if (try? pair.standby.apply([flipped])) == nil { continue }
            #expect((4..<60).contains(bit / 8))
            return
        }
        #expect(try pair.standby.dump() == before.0)
        #expect(pair.standby.standing == before.1)
        try pair.apply(entry)
        try pair.expectEqual()
    }

    @Test("an entry whose SQL leads to other definitions here is refused")
    func otherDefinitions() throws {
        let (_, entry) = try pair.primary.perform([
            pair.next(.changeSchema("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY)"))
        ])
        var other = try #require(entry)
        let change = try #require(SchemaChange(payload: other.payload))
        other.payload =
            SchemaChange(
                sql: "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, x)", signature: change.signature,
                changeset: change.changeset
            ).payload
        #expect(
            throws: StoreError.schemaDiffers(
                position: other.position, reason: "the definitions are not those of the other node")
        ) { try pair.standby.apply([other]) }
        try pair.standby.run("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY)")
        #expect(throws: StoreError.schemaDiffers(position: other.position, reason: "table t already exists")) {
            try pair.standby.apply([try #require(entry)])
        }
    }
}
