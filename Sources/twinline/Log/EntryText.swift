import Foundation
import Replication
import Store

/// An entry for a person: a line for itself, one for each thing that happened, one for each row.
struct EntryText {
    let words: ChangeWords
    let brief: Bool

    func page(_ found: FoundEntry) -> String {
        var lines = [title(found)]
        lines += found.happenings(words).map { "  " + $0 }
        if found.entry.kind == .schema {
            lines += String(decoding: found.entry.payload, as: UTF8.self).split(separator: "\n").map {
                "    " + words.shown(String($0))
            }
        }
        if !brief { lines += found.changes.map { "    " + words.line($0) } }
        return lines.joined(separator: "\n")
    }

    private func title(_ found: FoundEntry) -> String {
        let entry = found.entry
        var parts = ["\(entry.position)"]
        switch entry.kind {
        case .mark: parts.append("epoch \(entry.position.epoch.value) begins, node \(entry.position.epoch.owner) leads")
        case .forcedMark:
            let epoch = entry.position.epoch
            parts.append("epoch \(epoch.value) begins, node \(epoch.owner) leads because a person forced it to")
        case .schema: parts.append("the schema changes from version \(entry.schemaVersion)")
        case .changes:
            if let time = found.time { parts.append(ChangeWords.time(time)) }
            parts.append(count(found))
        }
        parts.append("\(found.size) bytes")
        return parts.joined(separator: "  ")
    }

    private func count(_ found: FoundEntry) -> String {
        guard let all = found.allChanges else { return "changes that can't be read" }
        let rows = all.count == 1 ? "1 row changed" : "\(all.count) rows changed"
        return found.changes.count == all.count ? rows : "\(rows), \(found.changes.count) of them shown"
    }
}

/// An entry for a program: one object on a line, with values as they are stored; blobs in hexadecimal digits.
struct EntryJSON {
    let words: ChangeWords

    func line(_ found: FoundEntry) -> String {
        let entry = found.entry
        var object: [String: Any] = [
            "lsn": entry.position.lsn.value, "epoch": entry.position.epoch.value, "kind": "\(entry.kind)",
            "schema_version": entry.schemaVersion, "digest": "\(entry.digest)", "bytes": found.size,
            "happened": found.happenings(words), "changes": found.changes.map(change),
            "rows_changed": found.allChanges?.count as Any? ?? NSNull(), "at": found.time as Any? ?? NSNull(),
        ]
        if entry.kind == .schema { object["sql"] = String(decoding: entry.payload, as: UTF8.self) }
        return jsonLine(object)
    }

    private func change(_ change: LoggedChange) -> [String: Any] {
        func values(_ pick: (LoggedChange.Column) -> LoggedChange.Value?) -> [String: Any] {
            var values: [String: Any] = [:]
            for column in change.columns {
                if let value = pick(column) { values[column.name] = json(value, change.table, column.name) }
            }
            return values
        }
        var object: [String: Any] = [
            "table": change.table, "operation": change.operation.rawValue,
            "key": values { $0.isKey ? $0.value : nil },
        ]
        let old = values { $0.isKey ? nil : $0.old }
        let new = values { $0.isKey ? nil : $0.new }
        if !old.isEmpty { object["old"] = old }
        if !new.isEmpty { object["new"] = new }
        return object
    }

    private func json(_ value: LoggedChange.Value, _ table: String, _ column: String) -> Any {
        switch value {
        case .null: NSNull()
        case .integer(let integer): integer
        case .real(let real): real.isFinite ? real : "\(real)"
        case .text(let text):
            if words.isHidden(table, column, value) { ["hidden_characters": text.count] } else { text }
        case .blob(let bytes): ChangeWords.hex(bytes)
        }
    }
}
