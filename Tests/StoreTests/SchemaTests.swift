import Replication
import Testing

@testable import Store

@Suite("tables")
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
    }

    @Test("a node's own tables are not replicated, whatever they are")
    func ownTables() throws {
        let database = try ReplicatedDatabase.create(at: folder.file("db"))
        try database.run("CREATE VIRTUAL TABLE _twinline_search USING fts5(a); CREATE TABLE _twinline_x (a)")
        let reopened = try ReplicatedDatabase.open(at: database.path)
        #expect(reopened.tables.map(\.name) == ["answers", "counters", "history", "sessions", "tickets"])
    }

    @Test("a database from before the index by deadline gets it when it is opened, once")
    func olderFormat() throws {
        let path = folder.file("older")
        try ReplicatedDatabase.create(at: path).run("DROP INDEX tickets_by_deadline; PRAGMA user_version = 1")
        #expect(throws: StoreError.self) { _ = try DatabaseReader(at: path) }
        for _ in 1...2 {
            _ = try ReplicatedDatabase.open(at: path)
            _ = try DatabaseReader(at: path)
        }
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
        #expect(throws: StoreError.newerFormat(path: folder.file("newer"), newest: 2, found: 99)) {
            _ = try ReplicatedDatabase.open(at: folder.file("newer"))
        }
        #expect(throws: StoreError.cannotOpen(path: folder.file("other"), reason: "there is a database already")) {
            try ReplicatedDatabase.create(at: folder.file("other"))
        }
    }
}
