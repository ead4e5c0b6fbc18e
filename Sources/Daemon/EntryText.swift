import Foundation
import Replication
import Store

/// An entry for a person: a line for itself, one for each thing that happened, one for each row.
package struct EntryText {
    private let words: ChangeWords
    private let brief: Bool

    package init(_ words: ChangeWords, brief: Bool) { (self.words, self.brief) = (words, brief) }

    package func page(_ found: FoundEntry) -> String {
        var lines = [title(found)]
        lines += found.happenings(words).map { "  " + $0 }
        if found.entry.kind == .schema {
            let sql = SchemaChange(payload: found.entry.payload)?.sql ?? "SQL that can't be read"
            lines += sql.split(separator: "\n").map { "    " + words.shown(String($0)) }
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
