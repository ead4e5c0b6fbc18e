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

    init(_ file: URL) throws {
        name = file.lastPathComponent
        let text = try Self.text(of: file)
        var table = CSV(text)
        guard let header = table.next() else { throw Failure("\(file.path) is empty") }
        let columns = Dictionary(header.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for needed in ["open_dt", "target_dt", "closed_dt", "case_title", "type", "queue", "neighborhood", "source"]
        where columns[needed] == nil {
            throw Failure(
                "\(file.path), line 1: there is no column \(needed); pass a file of the format of Boston's 311")
        }
        var rows: [Row] = []
        while let fields = table.next() {
            func field(_ name: String) -> String {
                guard let index = columns[name], index < fields.count else { return "" }
                return fields[index].trimmingCharacters(in: .whitespaces)
            }
            guard let openedAt = Self.time(field("open_dt")) else {
                throw Failure("\(file.path), line \(table.line): open_dt is '\(field("open_dt"))', not a time")
            }
            let place = field("location")
            let open = OpenTicket(
                id: TicketID(milliseconds: openedAt, random: (.random(in: 0 ... .max), .random(in: 0 ... .max))),
                openedAt: openedAt, channel: Self.channel(field("source")), category: field("type"),
                district: field("neighborhood"), text: field("case_title") + (place.isEmpty ? "" : "\n" + place),
                deadline: Self.time(field("target_dt")))
            let unit = field("queue").isEmpty ? "unassigned" : field("queue")
            rows.append(
                Row(
                    open: open, unit: unit, closedAt: Self.time(field("closed_dt")),
                    closingNote: field("closure_reason")))
        }
        guard !rows.isEmpty else { throw Failure("\(file.path) holds no ticket") }
        self.rows = rows
        steps = Self.steps(of: rows)
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

    /// "YYYY-MM-DD HH:MM:SS" as milliseconds since 1970, taken as UTC. Nil when empty or no time.
    static func time(_ text: String) -> Int64? {
        let parts = text.utf8.split { !(48...57).contains($0) }.compactMap {
            Int64(String(decoding: $0, as: UTF8.self))
        }
        guard parts.count == 6 else { return nil }
        let (year, month, day) = (parts[0], parts[1], parts[2])
        // Days from civil (H. Hinnant, chrono-compatible low-level date algorithms).
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return ((days * 24 + parts[3]) * 60 + parts[4]) * 60_000 + parts[5] * 1000
    }

    private static func channel(_ source: String) -> Ticket.Channel {
        switch source {
        case "Constituent Call": .phone
        case "Self Service": .web
        case "Citizens Connect App": .app
        case "Twitter": .message
        case "Employee Generated": .staff
        default: .other
        }
    }

    private static func text(of file: URL) throws -> String {
        guard FileManager.default.isReadableFile(atPath: file.path) else { throw Failure("can't read \(file.path)") }
        guard file.pathExtension == "gz" else { return try String(contentsOf: file, encoding: .utf8) }
        let process = Process()
        process.executableURL = URL(filePath: "/bin/gzip")
        process.arguments = ["-dc", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure("gzip can't unpack \(file.path)") }
        return String(decoding: data, as: UTF8.self)
    }
}

/// RFC 4180: fields in quotes may hold commas and line ends.
struct CSV {
    private var rest: Substring.UTF8View
    /// Of the record last returned: where it began.
    private(set) var line = 0
    private var nextLine = 1

    init(_ text: String) { rest = Substring(text).utf8 }

    mutating func next() -> [String]? {
        guard !rest.isEmpty else { return nil }
        line = nextLine
        var fields: [String] = []
        var field: [UInt8] = []
        var quoted = false
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\n") { nextLine += 1 }
            switch byte {
            case UInt8(ascii: "\"") where quoted && rest.first == UInt8(ascii: "\""):
                rest.removeFirst()
                field.append(byte)
            case UInt8(ascii: "\""): quoted.toggle()
            case UInt8(ascii: ",") where !quoted:
                fields.append(String(decoding: field, as: UTF8.self))
                field.removeAll(keepingCapacity: true)
            case UInt8(ascii: "\r") where !quoted: break
            case UInt8(ascii: "\n") where !quoted:
                return fields + [String(decoding: field, as: UTF8.self)]
            default: field.append(byte)
            }
        }
        return fields + [String(decoding: field, as: UTF8.self)]
    }
}
