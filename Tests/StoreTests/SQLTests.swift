import Replication
import Testing
import Tickets

@testable import Store

@Suite("the platform's SQL")
struct SQLTests {
    static let schema = """
        CREATE TABLE units (name TEXT NOT NULL PRIMARY KEY, size REAL, note);
        CREATE TABLE stock (unit TEXT NOT NULL REFERENCES units (name) ON DELETE CASCADE, part TEXT NOT NULL,
            count INTEGER NOT NULL CHECK (count >= 0), PRIMARY KEY (unit, part));
        CREATE TRIGGER fill AFTER INSERT ON units BEGIN INSERT INTO stock VALUES (new.name, 'pump', 1); END;
        """
    let pair: DatabasePair
    init() throws { pair = try DatabasePair(Self.schema) }

    private func insert(_ name: String) -> SQLStatement {
        SQLStatement("INSERT INTO units VALUES (?, ?, ?)", [.text(name), .integer(7), .null])
    }

    @Test("statements run in one transaction and give what RETURNING and SELECT give, on both nodes")
    func runs() throws {
        let answer = try pair.execute(
            insert("roads"), insert("water"),
            SQLStatement("UPDATE stock SET count = count + ? RETURNING unit, count", [.integer(2)], expect: 2),
            SQLStatement("SELECT name, size, note, x'0102' FROM units WHERE name = ?", [.text("roads")], expect: 1),
            SQLStatement("DELETE FROM units WHERE name = 'water'", expect: 1))
        #expect(
            answer
                == .executed([
                    StatementResult(changes: 1), StatementResult(changes: 1),
                    StatementResult(
                        changes: 2, columns: ["unit", "count"],
                        rows: [[.text("roads"), .integer(3)], [.text("water"), .integer(3)]]),
                    StatementResult(
                        changes: 0, columns: ["name", "size", "note", "x'0102'"],
                        rows: [[.text("roads"), .real(7), .null, .blob([1, 2])]]),
                    StatementResult(changes: 1),
                ]))
        try pair.expectEqual()
        // The trigger's row, and not the one that its unit's end took away.
        #expect(try pair.standby.integer("SELECT count(*) FROM stock") == 1)
    }

    @Test("nothing is refused for being non-deterministic: the rows are shipped")
    func nonDeterministic() throws {
        let answer = try pair.execute(
            SQLStatement("INSERT INTO units VALUES (hex(randomblob(8)), random(), datetime('now')) RETURNING *"))
        guard case .executed(let results) = answer else { throw Failed() }
        #expect(results[0].rows[0].count == 3)
        try pair.expectEqual()
    }

    @Test("a guard that is not met undoes its request, triggers' rows included, and no other of the batch")
    func guards() throws {
        let unmet = pair.next(
            .execute([insert("b"), SQLStatement("DELETE FROM stock WHERE part = 'pump'", expect: 5)]))
        let outcomes = try pair.perform([
            pair.next(.execute([insert("a")])), unmet, pair.next(.execute([insert("c")])),
            pair.next(.command(openTicket(1))),
        ])
        #expect(
            outcomes[1] == .answer(.refused(.guardNotMet(statement: 2, expected: 5, found: 2)), remembered: false))
        guard case .answer(.executed, _) = outcomes[0], case .answer(.executed, _) = outcomes[2],
            case .answer(.done, _) = outcomes[3]
        else { throw Failed() }
        #expect(try pair.primary.integer("SELECT count(*) FROM stock WHERE unit IN ('a', 'c')") == 2)
        #expect(try pair.primary.integer("SELECT count(*) FROM units") == 2)
        try pair.expectEqual()
        // A refusal is an answer too.
        let again = try pair.primary.execute([unmet], now: 5)
        #expect(again.changeset.isEmpty)
        #expect(
            again.outcomes == [.answer(.refused(.guardNotMet(statement: 2, expected: 5, found: 2)), remembered: true)])
    }

    @Test("the same request again gives the same rows, and runs nothing")
    func once() throws {
        let request = pair.next(.execute([SQLStatement("INSERT INTO units VALUES (random(), 1, 2) RETURNING name")]))
        let first = try pair.perform([request])
        let second = try pair.perform([request])
        guard case .answer(let answer, remembered: false) = first[0] else { throw Failed() }
        #expect(second == [.answer(answer, remembered: true)])
        #expect(try pair.primary.integer("SELECT count(*) FROM units") == 1)
    }

    @Test(
        "what is wrong is refused with a sentence, and everything else of its request undone",
        arguments: [
            ("INSERT INTO nowhere VALUES (1)", "no such table: nowhere"),
            ("INSERT INTO stock VALUES ('nobody', 'pump', 1)", "FOREIGN KEY constraint failed"),
            ("INSERT INTO stock VALUES ('x', 'pipe', -1)", "CHECK constraint failed: count >= 0"),
            (
                "INSERT OR FAIL INTO units SELECT value, 1, 1 FROM json_each('[\"y\", \"x\"]')",
                "UNIQUE constraint failed"
            ),
            ("INSERT OR ROLLBACK INTO units VALUES ('x', 1, 1)", "UNIQUE constraint failed: units.name"),
            ("DELETE FROM units; DELETE FROM stock", "it is more than one statement; send each by itself"),
            (" -- nothing", "it is no statement"), ("SELEC 1", "near \"SELEC\": syntax error"),
            ("DELETE FROM units WHERE name = ?", "it has 1 parameters, and 0 values were given"),
            ("UPDATE tickets SET text = ''", "tickets is Twinline's own table; it may only be read"),
            ("DELETE FROM Answers", "answers is Twinline's own table; it may only be read"),
            ("UPDATE _twinline_applied SET lsn = 0", "_twinline_applied is Twinline's own table; it may only be read"),
            ("DELETE FROM sqlite_schema", "table sqlite_master may not be modified"),
            (
                "CREATE TABLE t (a INTEGER NOT NULL PRIMARY KEY)",
                "it changes the schema; ask for that as a schema change"
            ),
            ("DROP TABLE units", "it changes the schema; ask for that as a schema change"),
            ("CREATE TEMP TABLE t (a)", "temporary tables are not kept"),
            ("ATTACH ':memory:' AS other", "other databases can't be attached"),
            ("PRAGMA synchronous = OFF", "PRAGMA is not allowed"),
            ("COMMIT", "transactions and savepoints are Twinline's"),
            ("ROLLBACK TO request", "transactions and savepoints are Twinline's"), ("VACUUM", ""),
            ("SELECT load_extension('x')", ""), ("SELECT zeroblob(5000000)", "string or blob too big"),
        ])
    func refused(_ sql: String, _ expected: String) throws {
        try pair.execute(insert("x"))
        let before = try pair.primary.dump().replacing(#/answers\n(.+\n)+/#, with: "")
        let answer = try pair.execute(insert("z"), SQLStatement(sql))
        guard case .refused(.statementFailed(2, let reason)) = answer else {
            Issue.record("\(answer as Any)")
            return
        }
        #expect(reason.hasPrefix(expected), "\(reason)")
        #expect(try pair.primary.dump().replacing(#/answers\n(.+\n)+/#, with: "") == before)
        try pair.expectEqual()
        try pair.execute(insert("after"))
        try pair.expectEqual()
    }

    @Test("a trigger of the platform's can't write Twinline's own tables either")
    func triggers() throws {
        try pair.change("CREATE TRIGGER evil AFTER DELETE ON units BEGIN DELETE FROM answers; END")
        try pair.execute(insert("x"))
        let answer = try pair.execute(SQLStatement("DELETE FROM units"))
        #expect(reason(answer) == "answers is Twinline's own table; it may only be read")
        try pair.expectEqual()
    }

    @Test("a row that refers to what is not there at the end of the transaction is refused, though deferred")
    func deferredReference() throws {
        try pair.change(
            """
            CREATE TABLE late (id INTEGER NOT NULL PRIMARY KEY,
                unit TEXT REFERENCES units (name) DEFERRABLE INITIALLY DEFERRED)
            """)
        let early = SQLStatement("INSERT INTO late VALUES (1, 'x')")
        let answer = try pair.execute(early)
        #expect(reason(answer) == "FOREIGN KEY constraint failed: a row refers to one that is not there")
        guard case .executed = try pair.execute(early, insert("x")) else { throw Failed() }
        try pair.expectEqual()
    }

    @Test("a RAISE(ROLLBACK) takes nobody's request along but its own")
    func raised() throws {
        try pair.change(
            """
            CREATE TRIGGER never BEFORE DELETE ON units BEGIN SELECT RAISE(ROLLBACK, 'units stay'); END
            """)
        let outcomes = try pair.perform([
            pair.next(.command(openTicket(1))), pair.next(.execute([insert("x")])),
            pair.next(.execute([insert("y"), SQLStatement("DELETE FROM units")])), pair.next(.execute([insert("z")])),
        ])
        #expect(
            outcomes[2]
                == .answer(.refused(.statementFailed(statement: 2, reason: "units stay")), remembered: false))
        #expect(try pair.standby.integer("SELECT count(*) FROM units") == 2)
        #expect(try pair.standby.integer("SELECT count(*) FROM tickets") == 1)
        try pair.expectEqual()
    }
}

struct Failed: Error {}
