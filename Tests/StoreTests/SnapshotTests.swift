import Replication
import Testing

@testable import Store

@Suite("a walk through a snapshot")
struct SnapshotTests {
    let folder: TemporaryFolder
    let database: ReplicatedDatabase

    init() throws {
        folder = try TemporaryFolder()
        database = try ReplicatedDatabase.create(at: folder.file("db"))
        let session = try database.openSession().session
        for number in 1...20 {
            try database.perform([
                StoreRequest(
                    session: session, sequence: Int64(number), actor: "seat/1",
                    body: .command(openTicket(UInt64(number))))
            ])
        }
    }

    private func sums(_ snapshot: DatabaseSnapshot) throws -> DatabaseSnapshot.Sums {
        try #require(try snapshot.sums { _, _ in true })
    }

    @Test("the tables' parts make the digest that is kept in passing")
    func equal() throws {
        let snapshot = try DatabaseSnapshot(at: database.path)
        #expect(try snapshot.pin() == database.applied)
        let sums = try sums(snapshot)
        #expect(sums.computed == database.digest && sums.stored == database.digest)
        #expect(sums.tables.map(\.name) == ["answers", "counters", "history", "sessions", "tickets"])
        #expect(sums.tables.map(\.rows) == [20, 1, 20, 1, 20])
        #expect(sums.tables.reduce(0) { $0 &+ $1.digest.value } == sums.computed.value)
    }

    @Test("what is committed later, or not yet, is not in it")
    func isolated() throws {
        let (position, digest) = (database.applied, database.digest)
        _ = try database.execute([StoreRequest(actor: "seat/2", body: .openSession)], now: 1)
        let snapshot = try DatabaseSnapshot(at: database.path)
        #expect(try snapshot.pin() == position)
        try database.commit(at: Position(Epoch(1), position.lsn.next))
        #expect(database.digest != digest)
        let before = try sums(snapshot)
        #expect(before.position == position && before.computed == digest && before.stored == digest)
        snapshot.end()
        #expect(try snapshot.pin() == database.applied)
        #expect(try sums(snapshot).computed == database.digest)
    }

    @Test("a row changed behind the node's back is found, and its table")
    func changed() throws {
        let snapshot = try DatabaseSnapshot(at: database.path)
        _ = try snapshot.pin()
        let before = try sums(snapshot)
        snapshot.end()
        try database.run("UPDATE history SET note = 'x' WHERE revision = 1 AND ticket = (SELECT max(id) FROM tickets)")
        _ = try snapshot.pin()
        let after = try sums(snapshot)
        #expect(after.stored == before.stored && after.computed != after.stored)
        let differing = zip(before.tables, after.tables).filter { $0 != $1 }.map(\.0.name)
        #expect(differing == ["history"])
    }

    @Test("a walk ends when it is told to, and the next one is whole")
    func ends() throws {
        try database.run(
            """
            WITH RECURSIVE n(i) AS (VALUES (1000) UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
            INSERT INTO counters SELECT 'c' || i, i FROM n
            """)
        let snapshot = try DatabaseSnapshot(at: database.path)
        _ = try snapshot.pin()
        var heard: [(rows: Int, total: Int)] = []
        #expect(
            try snapshot.sums { rows, total in
                heard.append((rows, total))
                return rows < 5000
            } == nil)
        let last = try #require(heard.last)
        #expect(last.rows >= 5000 && last.rows < 10_000 && last.total == 19_063)
        #expect(try sums(snapshot).tables.reduce(0) { $0 + $1.rows } == 19_063)
    }
}
