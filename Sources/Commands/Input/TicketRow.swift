import Foundation
import Tickets

/// How a row of Boston's 311 data becomes a ticket.
struct TicketRowReader {
    private let columns: [String: Int]
    private let names: [String]

    /// A ticket can't be made without these. That a value is missing in one of them may be allowed.
    private static let needed = [
        "case_enquiry_id", "open_dt", "target_dt", "closed_dt", "case_title", "type", "queue", "neighborhood", "source",
    ]

    /// Columns that the header should have and lacks: then no row can be read.
    var missing: [String] { Self.needed.filter { columns[$0] == nil } }

    init(header: [CSVReader.Field]) {
        names = header.map { String(decoding: $0.bytes, as: UTF8.self).trimmingCharacters(in: .whitespaces) }
        columns = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// A missing caller, district, unit or deadline is none of a row's faults, nor are times in an odd order.
    func row(_ fields: [CSVReader.Field]) throws(UnreadableRow) -> TicketFile.Row {
        let row = Values(fields: fields, texts: try texts(fields), columns: columns)
        guard !row["case_enquiry_id"].isEmpty else { throw row.fault("case_enquiry_id", "is missing") }
        guard let openedAt = try row.time("open_dt") else { throw row.fault("open_dt", "is missing") }
        guard openedAt >= 0 else { throw row.fault("open_dt", "is before 1970") }
        let text = [row["case_title"], row["location"]].filter { !$0.isEmpty }.joined(separator: "\n")
        guard !text.isEmpty else { throw row.fault("case_title", "is missing") }
        try row.limit("case_title", text, Command.textLimit)
        try row.limit("closure_reason", row["closure_reason"], Command.textLimit)
        let unit = try row.short("queue")
        let category = try row.short("type")
        guard !category.isEmpty else { throw row.fault("type", "is missing") }
        let open = OpenTicket(
            id: TicketID(milliseconds: openedAt, random: (.random(in: 0 ... .max), .random(in: 0 ... .max))),
            openedAt: openedAt, channel: Self.channel(row["source"]), category: category,
            district: try row.short("neighborhood"), text: text,
            deadline: try row.time("target_dt"))
        return TicketFile.Row(
            open: open, unit: unit.isEmpty ? "unassigned" : unit, closedAt: try row.time("closed_dt"),
            closingNote: row["closure_reason"])
    }

    private func texts(_ fields: [CSVReader.Field]) throws(UnreadableRow) -> [String] {
        var texts: [String] = []
        for (index, field) in fields.enumerated() {
            guard let text = String(validating: field.bytes, as: UTF8.self) else {
                throw UnreadableRow(field.place, row: fields[0].place.line, "\(names[index]) is not UTF-8")
            }
            guard !field.bytes.contains(0) else {
                throw UnreadableRow(field.place, row: fields[0].place.line, "\(names[index]) holds a NUL byte")
            }
            texts.append(text.trimmingCharacters(in: .whitespaces))
        }
        return texts
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
}

/// The values of one row, by the names of their columns.
private struct Values {
    let fields: [CSVReader.Field]
    let texts: [String]
    let columns: [String: Int]

    /// Empty for a column that the file does not have.
    subscript(name: String) -> String { columns[name].map { texts[$0] } ?? "" }

    func fault(_ name: String, _ reason: String) -> UnreadableRow {
        let row = fields[0].place.line
        let place = columns[name].map { fields[$0].place } ?? fields[0].place
        return UnreadableRow(place, row: row, "\(name) \(reason)")
    }

    /// A name, a place, a unit.
    func short(_ name: String) throws(UnreadableRow) -> String {
        try limit(name, self[name], Command.shortFieldLimit)
        return self[name]
    }

    func limit(_ name: String, _ text: String, _ limit: Int) throws(UnreadableRow) {
        let bytes = text.utf8.count
        guard bytes <= limit else { throw fault(name, "has \(bytes) bytes, more than \(limit)") }
    }

    /// Milliseconds since 1970. Nil when empty.
    func time(_ name: String) throws(UnreadableRow) -> Int64? {
        guard !self[name].isEmpty else { return nil }
        guard let time = TicketFile.time(self[name]) else {
            let shown = String(self[name].prefix(40)).debugDescription
            throw fault(name, "is \(shown), not a time such as 2011-08-28 00:25:58")
        }
        return time
    }
}
