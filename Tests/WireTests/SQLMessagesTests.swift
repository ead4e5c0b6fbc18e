import Testing
import Tickets

@testable import Wire

@Test("hostile SQL is malformed, at the field that is wrong")
func hostileSQL() {
    func field(_ statements: [SQLStatement], _ change: (inout Twinline_Seat_V1_Request) -> Void = { _ in }) -> String? {
        var message = Twinline_Seat_V1_Request(
            SeatRequest(session: 7, sequence: 9, answeredBelow: 3, body: .execute(statements)))
        change(&message)
        do throws(MalformedMessage) { _ = try SeatRequest(message) } catch { return error.field }
        return nil
    }
    let one = SQLStatement("SELECT 1")
    #expect(field([one]) == nil)
    #expect(field([]) == "statements")
    #expect(field(Array(repeating: one, count: 1000)) == nil)
    #expect(field(Array(repeating: one, count: 1001)) == "statements")
    #expect(field([SQLStatement("")]) == "sql")
    #expect(field([SQLStatement("SELECT 1\0")]) == "sql")
    #expect(field([SQLStatement(String(repeating: " ", count: 1 << 20))]) == nil)
    #expect(field([SQLStatement(String(repeating: " ", count: 1 << 20 + 1))]) == "sql")
    #expect(field([SQLStatement("SELECT 1", Array(repeating: .null, count: 32_766))]) == nil)
    #expect(field([SQLStatement("SELECT 1", Array(repeating: .null, count: 32_767))]) == "parameters")
    #expect(field([one]) { $0.execute.statements[0].expect = 1 << 63 } == "expect")
    #expect(field([one]) { $0.execute.statements[0].expect = 1 << 63 - 1 } == nil)
    #expect(field([one]) { $0.schemaChange.sql = "" } == "sql")
    #expect(field([one]) { $0.schemaChange.sql = "DROP TABLE t\0" } == "sql")
    #expect(field([one]) { $0.session = 0 } == "session")
}

@Test("a hostile query, and a hostile answer to one, is malformed at the field that is wrong")
func hostileQueries() {
    let query = Query.sql(SQLQuery("SELECT 1"))
    func field(_ change: (inout Twinline_Seat_V1_SqlQuery) -> Void) -> String? {
        var message = Twinline_Seat_V1_ReadRequest(SeatRead(number: 1, level: .latest, query: query))
        change(&message.sql)
        do throws(MalformedMessage) { _ = try SeatRead(message) } catch { return error.field }
        return nil
    }
    #expect(field { _ in } == nil)
    #expect(field { $0.sql = "" } == "sql")
    #expect(field { $0.rowLimit = 100_001 } == "row_limit")
    #expect(field { $0.timeLimitMs = 60_001 } == "time_limit_ms")
    #expect(field { ($0.rowLimit, $0.timeLimitMs) = (0, 0) } == nil)

    func answered(_ change: (inout Twinline_Seat_V1_ReadAnswer) -> Void) -> String? {
        let rows = View.rows(SQLRows(columns: ["a", "b"], rows: [[.null, .integer(1)]]))
        var message = Twinline_Seat_V1_ReadAnswer(number: 1, at: .zero, rows)
        change(&message)
        do throws(MalformedMessage) { _ = try View(message, to: query) } catch { return error.field }
        return nil
    }
    #expect(answered { _ in } == nil)
    #expect(answered { $0.rows.rows[0].values.removeLast() } == "rows")
    #expect(answered { $0.rows.rows[0].values.append(Twinline_Seat_V1_Value()) } == "rows")
    #expect(answered { $0.rows.columns.append("c") } == "rows")
    #expect(answered { $0.tickets.tickets = [] } == "outcome")
    let rows = Twinline_Seat_V1_ReadAnswer(number: 1, at: .zero, .rows(SQLRows(columns: [], rows: [])))
    #expect(throws: MalformedMessage(field: "outcome")) {
        try View(rows, to: .list(state: nil, unit: nil, before: nil, limit: 1))
    }
}

@Test("a refusal of SQL says what to do")
func refusalsOfSQL() throws {
    for sample in [
        Refusal.guardNotMet(statement: 1, expected: 2, found: 3),
        .statementFailed(statement: 1, reason: "no such table"),
        .resultTooLarge(statement: 1, limit: 2), .changesTooLarge(statement: 1, limit: 2),
        .tookTooLong(statement: 1, milliseconds: 2), .needsService(actor: "seat/1"),
    ] {
        let message = Twinline_Seat_V1_Answer(session: 1, sequence: 2, .refused(sample))
        #expect(try Answer(message) == .refused(sample))
        #expect(message.refused.text.hasSuffix("."))
    }
}
