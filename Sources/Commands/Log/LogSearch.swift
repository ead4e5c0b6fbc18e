import Daemon
import DurableLog
import Foundation
import Replication
import Store
import Tickets
import Wire

/// Which entries, and which of their changes, are asked for.
struct EntryFilter {
    var ticket: TicketID?
    var table: String?

    var isEmpty: Bool { ticket == nil && table == nil }

    func changes(of all: [LoggedChange]) -> [LoggedChange] {
        all.filter { change in
            if let table, change.table != table { return false }
            if let ticket { return change.tickets.contains(ticket) }
            return true
        }
    }
}

/// Reads through a log, oldest entry first, after having searched backwards, segment by segment, for where the last so
/// many begin.
final class LogSearch {
    private let view: LogView
    private var from: LSN
    private var to: LSN
    private let last: Int?
    private let filter: EntryFilter
    private let showsProgress: Bool
    /// Damage and gaps, once each.
    private(set) var troubles: [String] = []

    init(view: LogView, from: LSN, to: LSN, last: Int?, filter: EntryFilter, showsProgress: Bool) {
        (self.view, self.from, self.to, self.last) = (view, from, to, last)
        (self.filter, self.showsProgress) = (filter, showsProgress)
    }

    func run(show: (FoundEntry) -> Void) throws(LogError) {
        if let last { try narrow(toLast: last) }
        try forward(show)
    }

    /// Moves `from` to where the last so many begin, and `to` to where the log ends now: what is appended from now on
    /// is not one of them.
    private func narrow(toLast count: Int) throws(LogError) {
        let schema = Self.schema()
        let starts = try view.starts()
        var progress = ProgressLine(total: starts.count, unit: "segments searched")
        var (found, end): ([LSN], LSN?) = ([], nil)
        var bound = to
        for (searched, start) in starts.reversed().enumerated() where start <= to {
            var matching: [LSN] = []
            _ = try reading { () throws(LogError) in
                try view.seek(to: start)
                while view.next <= bound, let frame = try view.read() {
                    let lsn = frame.position.lsn
                    if lsn >= from, matches(frame, schema) { matching.append(lsn) }
                    end = max(end ?? lsn, lsn)
                }
            }
            found = matching.suffix(count - found.count) + found
            if start <= from || found.count == count { break }
            bound = LSN(start.value - 1)
            progress.advance(to: searched + 1)
        }
        progress.finish()
        to = end ?? to
        from = found.first ?? to.next
    }

    private func matches(_ frame: EntryFrame, _ schema: LoggedSchema?) -> Bool {
        if filter.isEmpty { return true }
        guard frame.kind == .changes, let all = try? schema?.changes(in: frame.entry) else { return false }
        return !filter.changes(of: all).isEmpty
    }

    private func forward(_ show: (FoundEntry) -> Void) throws(LogError) {
        let schema = Self.schema()
        let starts = try view.starts(), oldest = starts[0]
        if from > .zero, from < oldest {
            note("entry \(from) is no longer in the log, which begins at \(oldest)")
        }
        var next = max(from, oldest)
        var progress = ProgressLine(total: starts.count, unit: "segments")
        var isWhole = false
        while !isWhole, next <= to {
            isWhole = try reading { () throws(LogError) in
                try view.seek(to: next)
                while view.next <= to, let frame = try view.read() {
                    next = view.next
                    if frame.position.lsn >= from, let found = found(frame, schema) { show(found) }
                    if showsProgress { progress.advance(to: starts.count { $0 < next }) }
                }
            }
            // Behind damage the next segment can be read again.
            guard let start = try view.starts().first(where: { $0 > next }) else { break }
            if !isWhole { next = start }
        }
        progress.finish()
    }

    private func found(_ frame: EntryFrame, _ schema: LoggedSchema?) -> FoundEntry? {
        let entry = frame.entry
        var found = FoundEntry(entry: entry, size: frame.bytes.count, allChanges: nil, changes: [])
        do {
            let all = try schema?.changes(in: entry) ?? []
            (found.allChanges, found.changes) = (all, filter.changes(of: all))
        } catch { note("\(error)") }
        return filter.isEmpty || !found.changes.isEmpty ? found : nil
    }

    /// - Returns: false if something is damaged or gone, which is noted. What can't be read at all is thrown.
    private func reading(_ body: () throws(LogError) -> Void) throws(LogError) -> Bool {
        do {
            try body()
            return true
        } catch {
            switch error {
            case .damaged, .released, .changed: note("\(error)")
            default: throw error
            }
            return false
        }
    }

    private func note(_ trouble: String) {
        if !troubles.contains(trouble) { troubles.append(trouble) }
    }

    /// Nil without an SQLite that can do what a node needs: then rows can't be shown.
    private static func schema() -> LoggedSchema? { try? LoggedSchema() }
}
