import CSQLiteSession
import Replication
import TestSupport
import Testing

@testable import Store

/// Random changes of every kind, captured and replayed in two ways.
@Suite("capture and replay")
struct CaptureFuzzTests {
    static let schema = """
        CREATE TABLE a (id TEXT NOT NULL PRIMARY KEY, n INTEGER, r REAL, t TEXT, x, u UNIQUE, c TEXT COLLATE NOCASE);
        CREATE TABLE b (k1 TEXT NOT NULL, v, k2 INTEGER NOT NULL, PRIMARY KEY (k2, k1));
        CREATE TABLE w (id BLOB NOT NULL PRIMARY KEY, v, f DOUBLE) WITHOUT ROWID;
        CREATE TABLE only_keys (id INTEGER NOT NULL PRIMARY KEY);
        CREATE TABLE _twinline_mine (id INTEGER NOT NULL PRIMARY KEY, v);
        CREATE INDEX a_n ON a (n);
        CREATE TRIGGER a_update AFTER UPDATE ON a BEGIN UPDATE b SET v = ifnull(v, 0) + 1 WHERE k1 = new.id; END;
        CREATE TRIGGER a_delete AFTER DELETE ON a BEGIN DELETE FROM b WHERE k1 = old.id; END;
        CREATE TRIGGER a_insert BEFORE INSERT ON a BEGIN
            INSERT OR IGNORE INTO only_keys VALUES (length(new.t)); INSERT INTO _twinline_mine VALUES (NULL, new.n);
        END;
        """

    static let values = [
        "1", "2.0", "3.5", "'7'", "'txt'", "'TXT'", "NULL", "x'0102'", "x''", "''", "9007199254740993", "-5", "1e300",
        "-0.0", "0.0", "9e999", "-9223372036854775808", "'a text of more than eight bytes, ä €'", "zeroblob(300)",
    ]

    static func statement(_ numbers: inout SeededRandom) -> String {
        let id = Int.random(in: 0..<15, using: &numbers), other = Int.random(in: 0..<15, using: &numbers)
        let v = values[Int.random(in: 0..<values.count, using: &numbers)]
        let v2 = values[Int.random(in: 0..<values.count, using: &numbers)]
        let unique = Bool.random(using: &numbers) ? "NULL" : v
        switch Int.random(in: 0..<16, using: &numbers) {
        case 0, 1, 2: return "INSERT INTO a VALUES ('k\(id)', \(v), \(v2), \(v), \(v2), \(unique), \(v))"
        case 3: return "INSERT OR REPLACE INTO a VALUES ('k\(id)', \(v), \(v2), \(v), \(v2), \(v), \(v2))"
        case 4: return "UPDATE a SET n = \(v), r = \(v2) WHERE id = 'k\(id)'"
        case 5: return "UPDATE a SET t = \(v), x = \(v2), c = lower(c)"
        case 6: return "DELETE FROM a WHERE id = 'k\(id)'"
        case 7: return "UPDATE OR IGNORE a SET id = 'k\(other)' WHERE id = 'k\(id)'"
        case 8:
            return "INSERT INTO b VALUES ('k\(id)', \(v), \(other % 4)) ON CONFLICT DO UPDATE SET v = \(v2)"
        case 9: return "INSERT OR REPLACE INTO w VALUES (x'0\(id % 10)', \(v), \(v2))"
        case 10: return "UPDATE OR REPLACE a SET u = \(v) WHERE id = 'k\(id)'"
        case 11: return ["DELETE FROM w", "DELETE FROM only_keys", "DELETE FROM b"][id % 3]
        case 12: return "UPDATE b SET k2 = k2 + 1 WHERE k1 = 'k\(id)'"
        case 13: return "UPDATE w SET id = id || x'00', f = \(v) WHERE id > x'0\(id % 10)'"
        case 14: return "INSERT INTO a SELECT 'n' || id, n, r, t, x, NULL, c FROM a WHERE id < 'k\(id)'"
        default: return "UPDATE a SET n = n + 1 WHERE n > 0"
        }
    }

    /// The primary's side of one transaction: four savepoints of five statements each, some of them rolled back.
    static func transaction(
        _ connection: Connection, _ capture: Capture, _ numbers: inout SeededRandom
    ) throws(StoreError) {
        try connection.execute("BEGIN")
        for _ in 0..<4 {
            let mark = capture.recorder.mark
            try connection.execute("SAVEPOINT s")
            for _ in 0..<5 {
                let inner = capture.recorder.mark
                do throws(StoreError) { try connection.execute(statement(&numbers)) } catch {
                    capture.recorder.truncate(to: inner)
                }
            }
            if Int.random(in: 0..<4, using: &numbers) == 0 {
                try connection.execute("ROLLBACK TO s")
                capture.recorder.truncate(to: mark)
            }
            try connection.execute("RELEASE s")
        }
        try connection.execute("COMMIT")
    }

    @Test("whatever is captured replays to the same rows and digest", arguments: 0..<12)
    func fuzz(seed: UInt64) throws {
        let folder = try TemporaryFolder()
        var numbers = SeededRandom(seed)
        let primary = try ReplicatedDatabase.create(at: folder.file("primary"), tables: Self.schema)
        let standby = try ReplicatedDatabase.create(at: folder.file("standby"), tables: Self.schema)
        let reference = try ReplicatedDatabase.create(at: folder.file("reference"), tables: Self.schema)
        twinline_enable_triggers(reference.connection.raw, 0)
        let capture = Capture(primary.connection, tables: primary.tables)
        var digest = Digest.zero
        for number in 1...30 {
            capture.recorder.begin(digest: digest)
            try primary.connection.access { _ throws(StoreError) in
                try Self.transaction(primary.connection, capture, &numbers)
            }
            digest = capture.recorder.digest
            let changeset = capture.recorder.changes.array
            let entry = Entry(
                position: Position(Epoch(1), LSN(UInt64(number))), kind: .changes, schemaVersion: 1, digest: digest,
                payload: changeset)
            try standby.apply([entry])
            #expect(Self.apply(changeset, to: reference.connection) == SQLITE_OK)
        }
        let rows = try primary.dump()
        #expect(rows.count > 100)
        #expect(try standby.dump() == rows)
        #expect(try reference.dump() == rows)
        #expect(try primary.recomputeDigest() == digest)
        #expect(try standby.recomputeDigest() == digest)
        #expect(standby.digest == digest)
    }

    /// By SQLite's own function.
    private static func apply(_ changeset: [UInt8], to connection: Connection) -> Int32 {
        connection.access { _ in
            var bytes = changeset
            return sqlite3changeset_apply(
                connection.raw, Int32(bytes.count), &bytes, nil, { _, _, _ in SQLITE_CHANGESET_ABORT }, nil)
        }
    }
}
