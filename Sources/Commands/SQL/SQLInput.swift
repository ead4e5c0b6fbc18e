import ArgumentParser
import Foundation
import Store
import Tickets

/// What `twinline sql` is asked to do, from its arguments.
enum SQLInput: Equatable {
    case queries([SQLQuery])
    case transaction([SQLStatement])
    case schemaChange(String)

    /// - Parameters:
    ///   - texts: each of one statement or several.
    ///   - expects: a number or "any" for each statement; none: any.
    init(_ texts: [String], parameters: [SQLValue], expects: [String], rowLimit: Int, timeLimit: Int) throws {
        let all = texts.flatMap { SQLText.statements($0) }
            .compactMap { text in StatementShape(text).map { (text: text, shape: $0) } }
        guard !all.isEmpty else { throw ValidationError("there is no statement: write one, or name a file of them") }
        let kinds = Set(all.map(\.shape.kind))
        guard !kinds.contains(.schema) else {
            guard kinds.count == 1 else {
                throw ValidationError("CREATE, ALTER and DROP go by themselves, without other statements")
            }
            guard parameters.isEmpty, expects.isEmpty else {
                throw ValidationError("CREATE, ALTER and DROP take neither --param nor --expect")
            }
            self = .schemaChange(all.map(\.text).joined(separator: "\n"))
            return
        }
        let expected = try Self.expected(expects, statements: all.count)
        let values = try Self.distributed(parameters, over: all.map(\.shape.parameters))
        if kinds == [.query], expects.isEmpty {
            self = .queries(
                zip(all, values).map { SQLQuery($0.text, $1, rowLimit: rowLimit, timeLimit: timeLimit) })
        } else {
            self = .transaction(
                all.indices.map { SQLStatement(all[$0].text, values[$0], expect: expected[$0]) })
        }
    }

    private static func expected(_ expects: [String], statements: Int) throws -> [Int64?] {
        guard expects.isEmpty || expects.count == statements else {
            throw ValidationError(
                "--expect is given \(expects.count) times, and there are \(statements) statements")
        }
        guard !expects.isEmpty else { return Array(repeating: nil, count: statements) }
        return try expects.map { text in
            if text == "any" { return nil }
            guard let number = Int64(text), number >= 0 else {
                throw ValidationError("--expect \(text) is no number of rows; write one, or any")
            }
            return number
        }
    }

    /// As many as each has question marks; one statement alone gets all, whatever its parameters are called.
    private static func distributed(_ values: [SQLValue], over counts: [Int]) throws -> [[SQLValue]] {
        if counts.count == 1 { return [values] }
        let wanted = counts.reduce(0, +)
        guard wanted == values.count else {
            throw ValidationError(
                "there are \(wanted) question marks, and --param is given \(values.count) times")
        }
        var rest = values[...]
        return counts.map { count in
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
    }
}

extension SQLValue {
    /// NULL, an integer, a real number, x'0102', 'a text'; anything else is a text as it stands.
    init(argument: String) {
        if argument.uppercased() == "NULL" {
            self = .null
        } else if let integer = Int64(argument) {
            self = .integer(integer)
        } else if argument.first.map({ $0.isNumber || "+-.".contains($0) }) == true, let real = Double(argument) {
            self = .real(real)
        } else if let quoted = Self.quoted(argument[...]) {
            self = .text(quoted.replacing("''", with: "'"))
        } else if argument.first == "x" || argument.first == "X", let digits = Self.quoted(argument.dropFirst()),
            let bytes = Self.bytes(digits)
        {
            self = .blob(bytes)
        } else {
            self = .text(argument)
        }
    }

    private static func quoted(_ text: Substring) -> String? {
        guard text.count >= 2, text.first == "'", text.last == "'" else { return nil }
        return String(text.dropFirst().dropLast())
    }

    private static func bytes(_ digits: String) -> [UInt8]? {
        let digits = Array(digits.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[index...index + 1], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16), pair.first != "+" else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
