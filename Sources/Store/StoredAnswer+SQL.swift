import Tickets

// The answers to SQL, in the format of `StoredAnswer.swift`.

extension Refusal {
    func encodeSQL(into bytes: inout [UInt8]) {
        func begin(_ kind: UInt8, _ statement: Int) {
            bytes.append(kind)
            bytes.append(half: UInt32(clamping: statement))
        }
        switch self {
        case .guardNotMet(let statement, let expected, let found):
            begin(10, statement)
            bytes.append(word: UInt64(bitPattern: expected))
            bytes.append(word: UInt64(bitPattern: found))
        case .statementFailed(let statement, let reason):
            begin(11, statement)
            bytes.append(string: reason)
        case .resultTooLarge(let statement, let limit):
            begin(12, statement)
            bytes.append(word: UInt64(clamping: limit))
        case .changesTooLarge(let statement, let limit):
            begin(13, statement)
            bytes.append(word: UInt64(clamping: limit))
        case .tookTooLong(let statement, let milliseconds):
            begin(14, statement)
            bytes.append(word: UInt64(clamping: milliseconds))
        default: preconditionFailure("\(self) is no refusal of SQL")
        }
    }
}

extension [UInt8] {
    mutating func append(_ results: [StatementResult]) {
        append(half: UInt32(results.count))
        for result in results {
            append(word: UInt64(bitPattern: result.changes))
            append(half: UInt32(result.columns.count))
            for column in result.columns { append(string: column) }
            append(half: UInt32(result.rows.count))
            for row in result.rows { for value in row { append(value) } }
        }
    }

    private mutating func append(_ value: SQLValue) {
        switch value {
        case .integer(let integer):
            append(1 as UInt8)
            append(word: UInt64(bitPattern: integer))
        case .real(let real):
            append(2 as UInt8)
            append(word: real.bitPattern)
        case .text(let text):
            append(3 as UInt8)
            append(string: text)
        case .blob(let bytes):
            append(4 as UInt8)
            append(half: UInt32(bytes.count))
            append(contentsOf: bytes)
        case .null: append(5 as UInt8)
        }
    }
}

extension AnswerReader {
    // Nothing is reserved for a number that is only claimed: each piece is read before the next is made room for.

    mutating func results() -> [StatementResult]? {
        guard let count = half() else { return nil }
        var results: [StatementResult] = []
        for _ in 0..<count {
            guard let result = result() else { return nil }
            results.append(result)
        }
        return results
    }

    private mutating func result() -> StatementResult? {
        guard let changes = word(), let columns = half() else { return nil }
        var result = StatementResult(changes: Int64(bitPattern: changes))
        for _ in 0..<columns {
            guard let column = string() else { return nil }
            result.columns.append(column)
        }
        // A row without columns would take no bytes, and any number of them would be claimed for nothing.
        guard let rows = half(), columns > 0 || rows == 0 else { return nil }
        for _ in 0..<rows {
            var row: [SQLValue] = []
            for _ in 0..<columns {
                guard let value = value() else { return nil }
                row.append(value)
            }
            result.rows.append(row)
        }
        return result
    }

    private mutating func value() -> SQLValue? {
        switch byte() {
        case 1: word().map { .integer(Int64(bitPattern: $0)) }
        case 2: word().map { .real(Double(bitPattern: $0)) }
        case 3: string().map { .text($0) }
        case 4: piece().map { .blob([UInt8]($0)) }
        case 5: .null
        default: nil
        }
    }

    mutating func refusalOfSQL(_ kind: UInt8) -> Refusal? {
        guard (10...14).contains(kind), let statement = half().map({ Int($0) }) else { return nil }
        switch kind {
        case 10:
            guard let expected = word(), let found = word() else { return nil }
            return .guardNotMet(
                statement: statement, expected: Int64(bitPattern: expected), found: Int64(bitPattern: found))
        case 11: return string().map { .statementFailed(statement: statement, reason: $0) }
        case 12: return word().map { .resultTooLarge(statement: statement, limit: Int(clamping: $0)) }
        case 13: return word().map { .changesTooLarge(statement: statement, limit: Int(clamping: $0)) }
        default: return word().map { .tookTooLong(statement: statement, milliseconds: Int(clamping: $0)) }
        }
    }
}
