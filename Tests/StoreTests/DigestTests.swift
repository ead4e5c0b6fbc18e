import Replication
import Testing

@testable import Store

@Suite("the digest's rules")
struct DigestTests {
    let folder: TemporaryFolder
    let database: ReplicatedDatabase

    init() throws {
        folder = try TemporaryFolder()
        database = try ReplicatedDatabase.create(
            at: folder.file("db"),
            tables: "CREATE TABLE t (n, id BLOB NOT NULL PRIMARY KEY, r REAL, s TEXT, z, e);")
    }

    @Test("an empty database has the digest zero")
    func empty() throws {
        #expect(try database.recomputeDigest() == .zero)
        #expect(database.digest == .zero)
    }

    /// The numbers come from another implementation, written in Python after the rules in `CellHash`.
    @Test("rows add up to the numbers that the rules give")
    func golden() throws {
        try database.run("INSERT INTO t (id, n, r, s, z, e) VALUES (x'0102', -7, 2, 'nine bytes', NULL, '')")
        #expect(try database.recomputeDigest().description == "cc7346397ebf0644e24e31d5c37865b0")
        try database.run("INSERT INTO t (id, n, r, s, z, e) VALUES (x'', 0, -0.0, '12345678', x'00', 1.5)")
        #expect(try database.recomputeDigest().description == "42c60fb0f936384928d998589e85de07")
    }

    @Test(
        "whatever differs in a row differs in the digest",
        arguments: [
            "UPDATE t SET n = 2.0", "UPDATE t SET n = '2'", "UPDATE t SET n = x'32'", "UPDATE t SET n = NULL",
            "UPDATE t SET n = e, e = n", "UPDATE t SET s = 'a'", "UPDATE t SET s = 'A' || char(0)",
            "UPDATE t SET id = x'01'", "DELETE FROM t", "UPDATE t SET z = ''", "UPDATE t SET z = x''",
        ])
    func differences(_ sql: String) throws {
        try database.run("INSERT INTO t (id, n, r, s, z, e) VALUES (x'0102', 2, 2, 'A', NULL, 7)")
        let before = try database.recomputeDigest()
        try database.run(sql)
        #expect(try database.recomputeDigest() != before)
    }
}
