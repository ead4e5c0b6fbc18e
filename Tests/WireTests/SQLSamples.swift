import Replication
import Tickets

@testable import Wire

extension Sample {
    private static let values: [SQLValue] = [.null, .integer(-3), .real(2.5), .text("pump"), .blob([0, 255])]

    private static func request(_ name: String, _ body: SeatRequest.Body) -> Sample {
        Sample(name, SeatRequest(session: 7, sequence: 300, answeredBelow: 298, body: body), .seatRequest)
    }

    private static func refused(_ name: String, _ refusal: Refusal) -> Sample {
        Sample("refused: " + name, .refused(refusal), .answer)
    }

    static let seatSQLRequests = [
        request(
            "execute",
            .execute([
                SQLStatement("INSERT INTO stock VALUES (?, ?, ?, ?, ?)", values, expect: 1),
                SQLStatement("DELETE FROM old", expect: 0), SQLStatement("SELECT 1"),
            ])),
        request("schema_change", .changeSchema("DROP TABLE old")),
        Sample(
            "sql",
            SeatRead(
                number: 5, level: .standby(),
                query: .sql(SQLQuery("SELECT ?, ?, ?, ?, ?", values, rowLimit: 100_000, timeLimit: 60_000))),
            .seatRead),
        Sample(
            "sql at a position",
            SeatRead(number: 5, level: .atLeast(Position(Epoch(3), LSN(300))), query: .sql(SQLQuery("SELECT 1"))),
            .seatRead),
    ]

    static let seatSQLAnswers = [
        Sample(
            "executed",
            .executed([
                StatementResult(changes: 300),
                StatementResult(changes: 0, columns: ["a", "b", "c", "d", "e"], rows: [values, values]),
                StatementResult(changes: 1, columns: ["a"]),
            ]), .answer),
        Sample("schema_changed", .schemaChanged(version: 300), .answer),
        refused("guard not met", .guardNotMet(statement: 2, expected: 1, found: 300)),
        refused("statement failed", .statementFailed(statement: 2, reason: "no such table: old")),
        refused("result too large", .resultTooLarge(statement: 2, limit: 1 << 20)),
        refused("changes too large", .changesTooLarge(statement: 2, limit: 16 << 20)),
        refused("took too long", .tookTooLong(statement: 2, milliseconds: 5000)),
        refused("needs service", .needsService(actor: "seat/017")),
        Sample(
            "rows",
            .rows(
                SQLRows(
                    columns: ["a", "b", "c", "d", "e"], rows: [values, values], isTruncated: true, epoch: 3, lsn: 300)),
            .view(to: .sql(SQLQuery("SELECT 1")))),
        Sample(
            "no rows", .rows(SQLRows(columns: ["a"], rows: [], epoch: 3, lsn: 300)),
            .view(to: .sql(SQLQuery("SELECT 1")))),
    ]
}
