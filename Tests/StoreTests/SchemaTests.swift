import Replication
import Testing
import Tickets

@testable import Store

@Suite("tables and schema changes")
struct SchemaTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test(
        "a table that can't be replicated faithfully is refused",
        arguments: [
            ("CREATE TABLE t (a)", "it has no primary key"),
            ("CREATE TABLE t (a TEXT PRIMARY KEY)", "its key column a is not declared NOT NULL"),
            (
                "CREATE TABLE t (a INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT)",
                "its column a is AUTOINCREMENT, whose counter can't be replicated"
            ),
            ("CREATE TABLE t (a INTEGER NOT NULL PRIMARY KEY, b AS (a + 1))", "its column b is generated"),
            ("CREATE VIRTUAL TABLE t USING fts5(a)", "it is a virtual table"),
            (
                "CREATE TABLE t (\((0...64).map { "c\($0) NOT NULL" }.joined(separator: ", ")), PRIMARY KEY (c0))",
                "it has more than 64 columns"
            ),
        ])
    func unsuitable(_ sql: String, _ reason: String) throws {
        #expect(throws: StoreError.unsuitableTable(table: "t", reason: reason)) {
            try ReplicatedDatabase.create(at: folder.file("db"), tables: sql + ";")
        }
        let database = try ReplicatedDatabase.create(at: folder.file("db 2"))
        #expect(throws: StoreError.unsuitableTable(table: "t", reason: reason)) { try database.executeSchema(sql) }
        #expect(!database.hasOpenBatch)
        #expect(database.schemaVersion == 1)
        #expect(try database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 't'") == 0)
    }

    @Test("a node's own tables are not replicated, whatever they are")
    func ownTables() throws {
        let database = try ReplicatedDatabase.create(at: folder.file("db"))
        try database.run("CREATE VIRTUAL TABLE _twinline_search USING fts5(a); CREATE TABLE _twinline_x (a)")
        let reopened = try ReplicatedDatabase.open(at: database.path)
        #expect(reopened.tables.map(\.name) == ["answers", "counters", "history", "sessions", "tickets"])
    }

    private func schema(_ database: ReplicatedDatabase, _ sql: String) throws -> Entry {
        let position = Position(Epoch(1), database.applied.lsn.next)
        let version = database.schemaVersion
        let batch = try database.executeSchema(sql)
        try database.commit(at: position)
        return Entry(
            position: position, kind: .schema, schemaVersion: version, digest: batch.digest, payload: batch.changeset)
    }

    @Test("a schema change is the same on both nodes, and changes go on after it")
    func schemaChange() throws {
        let primary = try ReplicatedDatabase.create(at: folder.file("primary"))
        let standby = try ReplicatedDatabase.create(at: folder.file("standby"))
        let (session, first) = try primary.openSession()
        func perform(_ sequence: Int64, _ command: Command) throws -> Entry? {
            let request = StoreRequest(session: session, sequence: sequence, actor: "seat/1", body: .command(command))
            return try primary.perform([request]).entry
        }
        var entries = [first, try perform(1, openTicket(1))]
        entries.append(
            try schema(
                primary,
                """
                ALTER TABLE tickets ADD COLUMN language TEXT NOT NULL DEFAULT 'de';
                ALTER TABLE history ADD COLUMN seen INTEGER;
                UPDATE tickets SET district = 'centre';
                CREATE TABLE units (name TEXT NOT NULL PRIMARY KEY, size REAL);
                INSERT INTO units VALUES ('roads', 7);
                """))
        #expect(primary.schemaVersion == 2)
        // The row that was there before the column was added, and changes now.
        entries.append(try perform(2, .dispatch(ticketID(1), unit: "roads", note: "")))
        entries.append(try perform(3, openTicket(2)))
        try standby.apply(entries.compactMap { $0 })
        #expect(standby.standing == primary.standing)
        #expect(try standby.dump() == primary.dump())
        #expect(try primary.recomputeDigest() == primary.digest)
        #expect(try standby.recomputeDigest() == primary.digest)
        let reopened = try ReplicatedDatabase.open(at: standby.path)
        #expect(reopened.schemaVersion == 2)
    }

    @Test("a column's default value in a row of before is seen when the row is deleted")
    func defaultValues() throws {
        let database = try ReplicatedDatabase.create(
            at: folder.file("db"), tables: "CREATE TABLE t (a INTEGER NOT NULL PRIMARY KEY);")
        try database.run("INSERT INTO t VALUES (1), (2)")
        _ = try schema(database, "ALTER TABLE t ADD COLUMN b NOT NULL DEFAULT 5")
        let capture = Capture(database.connection, tables: database.tables)
        capture.recorder.begin(digest: database.digest)
        try database.run("DELETE FROM t WHERE a = 1")
        #expect(try database.recomputeDigest() == capture.recorder.digest)
    }

    @Test("a schema change that is rolled back, or fails, leaves no trace")
    func rolledBack() throws {
        let database = try ReplicatedDatabase.create(at: folder.file("db"))
        let before = (try database.dump(), database.standing)
        _ = try database.executeSchema("CREATE TABLE t (a INTEGER NOT NULL PRIMARY KEY)")
        database.rollBack()
        #expect(throws: StoreError.self) { try database.executeSchema("DROP TABLE tickets; DROP TABLE nothing") }
        #expect(throws: StoreError.self) { try database.executeSchema("CREATE TABLE t (a PRIMARY KEY); COMMIT") }
        #expect(try database.dump() == before.0)
        #expect(database.standing == before.1)
        _ = try database.openSession()
        #expect(try database.recomputeDigest() == database.digest)
    }

    @Test("what is not a database of Twinline is not opened, and none is made where one is")
    func opening() throws {
        let path = folder.file("db")
        #expect(throws: StoreError.missing(path: path)) {
            try ReplicatedDatabase.open(at: path)
        }
        let other = try Connection.open(folder.file("other"), readOnly: false)
        try other.access { _ throws(StoreError) in try other.execute("CREATE TABLE t (a)") }
        #expect(
            throws: StoreError.damaged(path: folder.file("other"), message: "it is not a database of Twinline")
        ) { try ReplicatedDatabase.open(at: folder.file("other")) }
        try ReplicatedDatabase.create(at: folder.file("newer")).run("PRAGMA user_version = 99")
        #expect(throws: StoreError.newerFormat(path: folder.file("newer"), newest: 1, found: 99)) {
            _ = try ReplicatedDatabase.open(at: folder.file("newer"))
        }
        #expect(throws: StoreError.cannotOpen(path: folder.file("other"), reason: "there is a database already")) {
            try ReplicatedDatabase.create(at: folder.file("other"))
        }
    }
}
