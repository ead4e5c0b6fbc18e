import FoundationEssentials
import Tickets

extension SQLValue {
    init(_ message: Twinline_Seat_V1_Value) {
        switch message.kind {
        case nil: self = .null
        case .integer(let integer): self = .integer(integer)
        // As SQLite takes it.
        case .real(let real): self = real.isNaN ? .null : .real(real)
        case .text(let text): self = .text(text)
        case .blob(let bytes): self = .blob([UInt8](bytes))
        }
    }
}

extension Twinline_Seat_V1_Value {
    init(_ value: SQLValue) {
        self.init()
        switch value {
        case .null: break
        case .integer(let integer): self.integer = integer
        case .real(let real): self.real = real
        case .text(let text): self.text = text
        case .blob(let bytes): blob = Data(bytes)
        }
    }
}

extension SQLStatement {
    init(_ message: Twinline_Seat_V1_Statement) throws(MalformedMessage) {
        try check(sql: message.sql, parameters: message.parameters.count)
        self.init(
            message.sql, message.parameters.map { SQLValue($0) },
            expect: message.hasExpect ? try Int64(wire: message.expect, field: "expect") : nil)
    }
}

extension Twinline_Seat_V1_Statement {
    init(_ statement: SQLStatement) {
        self.init()
        sql = statement.sql
        parameters = statement.parameters.map { Twinline_Seat_V1_Value($0) }
        if let expect = statement.expect { self.expect = UInt64(bitPattern: expect) }
    }
}

extension [SQLStatement] {
    init(_ message: Twinline_Seat_V1_Execute) throws(MalformedMessage) {
        guard (1...SQLLimits.statements).contains(message.statements.count) else {
            throw MalformedMessage(field: "statements")
        }
        self = try message.statements.map { message throws(MalformedMessage) in try SQLStatement(message) }
    }
}

extension SQLQuery {
    init(_ message: Twinline_Seat_V1_SqlQuery) throws(MalformedMessage) {
        try check(sql: message.sql, parameters: message.parameters.count)
        guard message.rowLimit <= Self.highestRowLimit else { throw MalformedMessage(field: "row_limit") }
        guard message.timeLimitMs <= Self.highestTimeLimit else { throw MalformedMessage(field: "time_limit_ms") }
        self.init(
            message.sql, message.parameters.map { SQLValue($0) },
            rowLimit: message.rowLimit == 0 ? Self.usualRowLimit : Int(message.rowLimit),
            timeLimit: message.timeLimitMs == 0 ? Self.usualTimeLimit : Int(message.timeLimitMs))
    }
}

extension Twinline_Seat_V1_SqlQuery {
    init(_ query: SQLQuery) {
        self.init()
        sql = query.sql
        parameters = query.parameters.map { Twinline_Seat_V1_Value($0) }
        rowLimit = UInt32(clamping: query.rowLimit)
        timeLimitMs = UInt32(clamping: query.timeLimit)
    }
}

extension SQLRows {
    init(_ message: Twinline_Seat_V1_Rows, epoch: UInt64, lsn: UInt64) throws(MalformedMessage) {
        self.init(
            columns: message.columns, rows: try decodedRows(message.rows, columns: message.columns.count),
            isTruncated: message.truncated, epoch: epoch, lsn: lsn)
    }
}

extension Twinline_Seat_V1_Rows {
    init(_ rows: SQLRows) {
        self.init()
        columns = rows.columns
        self.rows = rows.rows.map { Twinline_Seat_V1_Row($0) }
        truncated = rows.isTruncated
    }
}

extension StatementResult {
    init(_ message: Twinline_Seat_V1_StatementResult) throws(MalformedMessage) {
        self.init(
            changes: try Int64(wire: message.changes, field: "changes"), columns: message.columns,
            rows: try decodedRows(message.rows, columns: message.columns.count))
    }
}

extension Answer {
    package init(_ message: Twinline_Seat_V1_Executed) throws(MalformedMessage) {
        self = .executed(
            try message.results.map { message throws(MalformedMessage) in try StatementResult(message) })
    }
}

extension Twinline_Seat_V1_Executed {
    package init(_ results: [StatementResult]) {
        self.init()
        self.results = results.map { result in
            var message = Twinline_Seat_V1_StatementResult()
            message.changes = UInt64(bitPattern: result.changes)
            message.columns = result.columns
            message.rows = result.rows.map { Twinline_Seat_V1_Row($0) }
            return message
        }
    }
}

extension Twinline_Seat_V1_Row {
    fileprivate init(_ row: [SQLValue]) {
        self.init()
        values = row.map { Twinline_Seat_V1_Value($0) }
    }
}

private func decodedRows(
    _ messages: [Twinline_Seat_V1_Row], columns: Int
) throws(MalformedMessage) -> [[SQLValue]] {
    try messages.map { row throws(MalformedMessage) in
        guard row.values.count == columns else { throw MalformedMessage(field: "rows") }
        return row.values.map { SQLValue($0) }
    }
}

private func check(sql: String, parameters: Int) throws(MalformedMessage) {
    guard (1...SQLLimits.sql).contains(sql.utf8.count), !sql.utf8.contains(0) else {
        throw MalformedMessage(field: "sql")
    }
    guard parameters <= SQLLimits.parameters else { throw MalformedMessage(field: "parameters") }
}

/// The SQL of a schema change.
func checkedSchemaChange(_ message: Twinline_Seat_V1_SchemaChange) throws(MalformedMessage) -> String {
    try check(sql: message.sql, parameters: 0)
    return message.sql
}
