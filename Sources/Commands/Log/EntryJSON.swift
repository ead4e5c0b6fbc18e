import Daemon
import Foundation
import Replication
import Store

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
        if entry.kind == .schema { object["sql"] = SchemaChange(payload: entry.payload)?.sql ?? "" }
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
