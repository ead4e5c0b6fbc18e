import Foundation
import Replication
import Store
import Tickets

/// Rows and values as people read them.
package struct ChangeWords: Sendable {
    /// Of what people have said only the length is shown.
    let hidesText: Bool
    /// Longer texts are shortened to so many characters.
    let limit: Int?

    package init(hidesText: Bool = false, limit: Int? = nil) { (self.hidesText, self.limit) = (hidesText, limit) }

    /// The columns whose text no citizen has said. All others may be personal, those of later schemas too.
    private static let impersonal: Set<String> = [
        "tickets.category", "tickets.district", "tickets.unit", "history.actor", "history.unit", "sessions.actor",
        "counters.name",
    ]

    package func isHidden(_ table: String, _ column: String, _ value: LoggedChange.Value) -> Bool {
        guard hidesText, case .text(let text) = value, !text.isEmpty else { return false }
        return !Self.impersonal.contains(table + "." + column)
    }

    // MARK: rows

    /// "+ tickets 0190…: state open, …": what came, went or became another.
    func line(_ change: LoggedChange) -> String {
        func words(_ column: LoggedChange.Column, _ value: LoggedChange.Value?) -> String {
            value.map { self.words(change.table, column.name, $0) } ?? "?"
        }
        let key = change.columns.filter(\.isKey).map { words($0, $0.new ?? $0.old) }.joined(separator: ", ")
        let rest = change.columns.filter { !$0.isKey }.map { column in
            switch (change.operation, column.old, column.new) {
            case (.update, let old, let new?): "\(column.name) \(words(column, old)) → \(words(column, new))"
            case (_, let old, let new): "\(column.name) \(words(column, new ?? old))"
            }
        }
        let sign =
            switch change.operation {
            case .insert: "+"
            case .update: "~"
            case .delete: "-"
            }
        return "\(sign) \(change.table) \(key)" + (rest.isEmpty ? "" : ": " + rest.joined(separator: ", "))
    }

    package func words(_ table: String, _ column: String, _ value: LoggedChange.Value) -> String {
        if isHidden(table, column, value), case .text(let text) = value { return "(\(text.count) characters)" }
        switch (table + "." + column, value) {
        case ("tickets.state", .integer(let number)), ("history.state", .integer(let number)):
            return name(Ticket.State(rawValue: number), number)
        case ("tickets.channel", .integer(let number)): return name(Ticket.Channel(rawValue: number), number)
        case ("tickets.priority", .integer(let number)): return name(Ticket.Priority(rawValue: number), number)
        case ("history.action", .integer(let number)): return name(HistoryRow.Action(rawValue: number), number)
        case ("tickets.confidential", .integer(let number)): return number == 0 ? "no" : "yes"
        case ("tickets.opened_at", .integer(let time)), ("tickets.deadline", .integer(let time)),
            ("history.at", .integer(let time)), ("sessions.last_word", .integer(let time)):
            return Self.time(time)
        case ("answers.id", .integer(let name)): return "\(name >> 32)/\(name & 0xffff_ffff)"
        case ("answers.answer", .blob(let bytes)): return answer(bytes)
        default: return plain(value)
        }
    }

    private func name<Value>(_ value: Value?, _ number: Int64) -> String { value.map { "\($0)" } ?? "\(number)" }

    private func plain(_ value: LoggedChange.Value) -> String {
        switch value {
        case .null: "none"
        case .integer(let integer): "\(integer)"
        case .real(let real): "\(real)"
        case .text(let text): "'\(shown(text))'"
        case .blob(let bytes): shortened(Self.hex(bytes))
        }
    }

    private func answer(_ bytes: [UInt8]) -> String {
        switch bytes.withUnsafeBytes({ Answer(encoded: $0) }) {
        case .done(let done): "done: ticket \(done.ticket) is \(done.state), revision \(done.revision)"
        case .executed(let results):
            "done: "
                + results.map { "\($0.changes) changed" + ($0.columns.isEmpty ? "" : ", \($0.rows.count) given") }
                .joined(separator: "; ")
        case .schemaChanged(let version): "done: schema version \(version)"
        case .refused(let refusal): "refused: \(shown("\(refusal)"))"
        case nil: plain(.blob(bytes))
        }
    }

    /// A line of its own, and nothing that a terminal would obey.
    package func shown(_ text: String) -> String {
        var safe = ""
        for scalar in shortened(text).unicodeScalars {
            switch scalar {
            case "\n": safe += "\\n"
            case "\t": safe += "\\t"
            case _ where scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format:
                safe += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }

    private func shortened(_ text: String) -> String {
        guard let limit, text.count > limit else { return text }
        return text.prefix(limit) + "…"
    }

    package static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Milliseconds since 1970 (UTC), as people write them.
    package static func time(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            .formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z"
    }
}
