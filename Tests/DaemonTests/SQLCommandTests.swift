import ArgumentParser
import Foundation
import Replication
import Testing
import Tickets

@testable import Daemon
@testable import Commands

/// `twinline sql`: what its arguments mean, and the whole command on a real pair.
@Suite(.serialized) struct SQLCommandTests {
    private func input(
        _ texts: [String], _ parameters: [SQLValue] = [], _ expects: [String] = []
    ) throws -> SQLInput {
        try SQLInput(texts, parameters: parameters, expects: expects, rowLimit: 10, timeLimit: 20)
    }

    @Test("statements that only read are queries, definitions a schema change, anything else a transaction")
    func kinds() throws {
        let read = SQLQuery("SELECT 1", rowLimit: 10, timeLimit: 20)
        #expect(try input(["SELECT 1"]) == .queries([read]))
        let all = try input([" -- a; comment\nWITH x AS (SELECT 'INSERT') SELECT * FROM x; ;/* ; */ VALUES (1)", ""])
        guard case .queries(let queries) = all else { throw Failure("no queries") }
        #expect(queries.count == 2)
        for sql in ["EXPLAIN DELETE FROM t", "PRAGMA table_info(t)", "(SELECT 1)"] {
            guard case .queries = try input([sql]) else {
                #expect(sql == "(SELECT 1)")
                continue
            }
        }
        for sql in [
            "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "delete from t", "REPLACE INTO t VALUES (1)",
            "SELECT 1; UPDATE t SET a = 1", "BEGIN",
        ] {
            guard case .transaction = try input([sql]) else { throw Failure(sql) }
        }
        let trigger = "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM u; DELETE FROM v; END;"
        #expect(try input([trigger + " DROP TABLE w"]) == .schemaChange(trigger + "\n DROP TABLE w"))
        for wrong in [["CREATE TABLE t (a)", "SELECT 1"], [""], [" ; -- nothing"]] {
            #expect(throws: ValidationError.self) { try input(wrong) }
        }
    }

    @Test("values and numbers of rows go to their statements")
    func distribution() throws {
        let values: [SQLValue] = [.integer(1), .null, .text("x")]
        #expect(
            try input(["UPDATE t SET a = ? WHERE b = '?'; DELETE FROM t WHERE a IN (?, ?) -- ?"], values, ["1", "any"])
                == .transaction([
                    SQLStatement("UPDATE t SET a = ? WHERE b = '?';", [.integer(1)], expect: 1),
                    SQLStatement(" DELETE FROM t WHERE a IN (?, ?) -- ?", [.null, .text("x")]),
                ]))
        #expect(throws: ValidationError.self) { try input(["DELETE FROM t WHERE a = ?; DELETE FROM u"], values) }
        #expect(throws: ValidationError.self) { try input(["DELETE FROM t; DELETE FROM u"], [], ["1"]) }
        #expect(throws: ValidationError.self) { try input(["DELETE FROM t"], [], ["-1"]) }
        #expect(throws: ValidationError.self) { try input(["DROP TABLE t"], [], ["1"]) }
        // A guard makes a transaction of a reading.
        #expect(try input(["SELECT 1"], [], ["1"]) == .transaction([SQLStatement("SELECT 1", expect: 1)]))
    }

    @Test(
        "a value is what it looks like",
        arguments: [
            ("NULL", SQLValue.null), ("null", .null), ("17", .integer(17)), ("-5", .integer(-5)), ("2.5", .real(2.5)),
            ("-1e3", .real(-1000)), ("'17'", .text("17")), ("'it''s'", .text("it's")), ("x'00fF'", .blob([0, 255])),
            ("x'0'", .text("x'0'")), ("x'+1'", .text("x'+1'")), ("Roads", .text("Roads")), ("", .text("")),
            ("nan", .text("nan")), ("inf", .text("inf")), ("'", .text("'")), ("12 Main St", .text("12 Main St")),
        ])
    func values(_ argument: String, _ value: SQLValue) { #expect(SQLValue(argument: argument) == value) }

    @Test("a table is as wide as it needs to be, and obeys no terminal")
    func table() {
        let rows: [[SQLValue]] = [[.integer(7), .text("a\n\u{1b}[31m")], [.null, .blob([1, 255])]]
        #expect(
            SQLTable(columns: ["n", "what"], rows: rows).text
                == """
                   n  what
                ----  -------------
                   7  a\\n\\u{1b}[31m
                NULL  x'01ff'
                """)
    }

    @Test("the command runs on a pair: its exit codes tell done, refused and wrong use")
    func command() async throws {
        try await RunningPair.with { running in
            try await running.format()
            try running.pair.issue("service/platform")
            func write(_ name: String, _ role: String) throws -> String {
                let files = running.pair.tls(role)
                let path = running.pair.path(name)
                try """
                pair: test
                nodes: {a: ["127.0.0.1:\(running.pair.ports[0])"], b: ["127.0.0.1:\(running.pair.ports[1])"]}
                certificate: \(files.certificate)
                key: \(files.key)
                authority: \(files.authority)
                """.write(toFile: path, atomically: true, encoding: .utf8)
                return path
            }
            let (service, seat) = (try write("service.yaml", "service/platform"), try write("seat.yaml", "seat/1"))
            func run(_ config: String, _ arguments: String...) async throws -> Int32 {
                do {
                    let command = try SQLCommand.parse(["--config", config] + arguments)
                    try await command.run()
                    return 0
                } catch let code as ArgumentParser.ExitCode { return code.rawValue } catch is ValidationError {
                    return 64
                }
            }
            let table = "CREATE TABLE units (name TEXT NOT NULL PRIMARY KEY, phone)"
            #expect(try await run(service, table) == 0)
            #expect(try await run(service, table) == 1)
            #expect(try await run(service, "--param", "Roads", "--param", "-5", "INSERT INTO units VALUES (?, ?)") == 0)
            #expect(try await run(service, "--expect", "2", "DELETE FROM units") == 1)
            #expect(try await run(service, "--expect", "1", "--json", "UPDATE units SET phone = 1 RETURNING *") == 0)
            #expect(try await run(service, "--standby", "--limit", "1", "SELECT * FROM tickets") == 0)
            #expect(try await run(service, "--standby", "DELETE FROM units") == 64)
            #expect(try await run(seat, "SELECT 1") == 1)
            let file = running.pair.path("statements.sql")
            try "SELECT * FROM units; SELECT 2".write(toFile: file, atomically: true, encoding: .utf8)
            #expect(try await run(service, "--file", file, "--json") == 0)
            #expect(try await run(service, "--again", "1/1", "DROP TABLE units") == 0)
            #expect(try await run(service, "SELECT name FROM units") == 0)
        }
    }
}
