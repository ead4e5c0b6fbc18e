import Foundation
import Tickets

/// A day of a real hotline, in the format of Boston's 311 data: opening, dispatch and acceptance at once after it,
/// completion and closing note, all in the order of the file's times.
struct TicketFile {
    struct Row: Sendable {
        var open: OpenTicket
        var unit: String
        /// Milliseconds since 1970; nil while it was open.
        var closedAt: Int64?
        var closingNote: String
    }

    /// One thing that a seat does, with the time that the file gives it.
    struct Step: Sendable {
        var row: Int
        var action: HistoryRow.Action
        var at: Int64

        func command(_ row: Row) -> Command {
            let id = row.open.id
            switch action {
            case .open: return .open(row.open)
            case .dispatch: return .dispatch(id, unit: row.unit, note: "")
            case .accept: return .accept(id, note: "")
            case .return: return .return(id, reason: row.closingNote)
            case .complete: return .complete(id, result: row.closingNote.isEmpty ? "Closed" : row.closingNote)
            case .note: return .note(id, text: row.closingNote)
            }
        }
    }

    let rows: [Row]
    let steps: [Step]
    let name: String
    /// Those that no ticket could be made of, in the file's order.
    let unreadable: [UnreadableRow]

    /// - Throws: if none of it can be read; rows that can't are in `unreadable`.
    init(_ file: URL) throws(InputError) {
        try self.init(try InputFile.bytes(of: file), path: file.path)
    }

    /// - Parameter path: for messages.
    init(_ bytes: [UInt8], path: String) throws(InputError) {
        name = URL(filePath: path).lastPathComponent
        var table = CSVReader(bytes)
        let reader = try Self.header(&table, path)
        var rows: [Row] = []
        var unreadable: [UnreadableRow] = []
        while true {
            do throws(UnreadableRow) {
                guard let fields = try table.next() else { break }
                rows.append(try reader.row(fields))
            } catch {
                unreadable.append(error)
            }
        }
        guard !rows.isEmpty else {
            guard let first = unreadable.first else {
                throw .malformed(path: path, reason: "holds no ticket, only a header")
            }
            throw .malformed(
                path: path, reason: "holds no row that can be read, of \(unreadable.count); the first: \(first)")
        }
        self.rows = rows
        self.unreadable = unreadable
        steps = Self.steps(of: rows)
    }

    private static func header(_ table: inout CSVReader, _ path: String) throws(InputError) -> TicketRowReader {
        let format = "pass a file in the format of Boston's 311, as in Deploy/sample"
        let fields: [CSVReader.Field]?
        do throws(UnreadableRow) { fields = try table.next() } catch {
            throw .malformed(path: path, reason: "has no header that can be read, \(error); \(format)")
        }
        guard let fields else { throw .malformed(path: path, reason: "is empty; \(format)") }
        let reader = TicketRowReader(header: fields)
        guard reader.missing.isEmpty else {
            let names = reader.missing.joined(separator: ", ")
            throw .malformed(path: path, reason: "has no column \(names) in its first row; \(format)")
        }
        return reader
    }

    private static func steps(of rows: [Row]) -> [Step] {
        var steps: [Step] = []
        for (index, row) in rows.enumerated() {
            for action in [HistoryRow.Action.open, .dispatch, .accept] {
                steps.append(Step(row: index, action: action, at: row.open.openedAt))
            }
            guard let closedAt = row.closedAt else { continue }
            steps.append(Step(row: index, action: .complete, at: max(closedAt, row.open.openedAt)))
            if !row.closingNote.isEmpty {
                steps.append(Step(row: index, action: .note, at: max(closedAt, row.open.openedAt)))
            }
        }
        let order = steps.indices.sorted { (steps[$0].at, $0) < (steps[$1].at, $1) }
        return order.map { steps[$0] }
    }

    /// "YYYY-MM-DD HH:MM:SS" as milliseconds since 1970, taken as UTC. Nil if it is no time.
    static func time(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        let pattern = Array("0000-00-00 00:00:00".utf8)
        let isDigit = { (byte: UInt8) in (48...57).contains(byte) }
        guard bytes.count == pattern.count,
            zip(bytes, pattern).allSatisfy({ isDigit($1) ? isDigit($0) : $0 == $1 })
        else { return nil }
        func number(_ range: Range<Int>) -> Int64 { bytes[range].reduce(0) { $0 * 10 + Int64($1 - 48) } }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard year > 0, (1...12).contains(month), (1...lengths[Int(month) - 1]).contains(day), hour < 24, minute < 60,
            second < 60
        else { return nil }
        // Days from civil (H. Hinnant, chrono-compatible low-level date algorithms).
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000
    }
}
