import DurableLog
import Planted
import Replication
import Store
import Tickets
import Wire

/// Tells seats what happens to the lists that they follow: answers their questions for changes once there are some.
///
/// A change is told once it is applied here: so it is committed, and whoever leads next has it too. What changed is in
/// the log; what a ticket looks like that enters a list, and whose deadline passes, is looked up in the database. Owned
/// by one thread.
package final class ListFeed {
    private struct Waiting {
        let read: PendingRead
        let filter: ListFilter
        var mark: ListMark?
        /// An answer without changes is due then, so that the mark does not fall behind the log.
        let until: Instant
        /// Of the wall clock: when deadlines were looked at last.
        var lookedAt: Int64 = .min
    }

    /// Milliseconds.
    package static let patience: UInt64 = 20_000
    private static let lookEach: Int64 = 1000
    /// So many changes, or bytes of text, are told at once, so that an answer fits its frame.
    private static let answerChanges = 500, answerBytes = 1 << 20

    private let recent: RecentChanges
    private let reader: ListReader
    private var waiting: [Waiting] = []

    package init(log: any ReadableDirectory, database path: String) throws(StoreError) {
        recent = RecentChanges(log)
        reader = try ListReader(at: path)
    }

    package var isIdle: Bool { waiting.isEmpty }

    /// It is answered by `look`, now or later.
    package func take(_ read: PendingRead, at now: Instant) {
        guard case .changes(let filter, let mark) = read.query else { return }
        let until = now.advanced(byMilliseconds: Self.patience)
        waiting.append(Waiting(read: read, filter: filter, mark: mark, until: until))
    }

    /// To be called when something was taken, something was applied, and each second.
    /// - Parameter time: milliseconds since 1970 (UTC).
    package func look(at now: Instant, time: Int64) throws(StoreError) -> [ReadAnswer] {
        guard !waiting.isEmpty else { return [] }
        return try reader.snapshot { position throws(StoreError) in
            var answers: [ReadAnswer] = []
            var still: [Waiting] = []
            for var one in waiting {
                let found = try find(&one, at: position, time: time)
                if let found = found ?? (one.until <= now ? one.mark.map { ListChanges(mark: $0) } : nil) {
                    answers.append(one.read.answered(.view(.changes(found)), at: found.mark.position))
                } else {
                    still.append(one)
                }
            }
            waiting = still
            return answers
        }
    }

    /// Nil: nothing yet; the mark has moved on.
    private func find(
        _ one: inout Waiting, at position: Position, time: Int64
    ) throws(StoreError) -> ListChanges? {
        let begin = ListMark(position, time: one.filter.overdue ? time : 0)
        guard let since = one.mark else { return ListChanges(mark: begin, beginsAgain: true) }
        if since.position.lsn > position.lsn {
            // Not applied here yet, if it ever will be: one log's epochs rise along it.
            return since.position.epoch < position.epoch ? ListChanges(mark: begin, beginsAgain: true) : nil
        }
        guard let entries = recent.entries(after: since.position, through: position.lsn) else {
            return ListChanges(mark: begin, beginsAgain: true)
        }
        var found = Found(since)
        for seen in entries where seen.position.lsn <= position.lsn {
            guard try add(seen, to: &found, one.filter, since) else { break }
        }
        let isLevel = found.mark.position == position && !found.isFull
        if one.filter.overdue, isLevel, !found.changes.isEmpty || one.lookedAt <= time - Self.lookEach {
            one.lookedAt = time
            try addLate(&found, one.filter, through: time)
        }
        one.mark = found.mark
        guard !found.changes.isEmpty || !isLevel && found.mark != since else { return nil }
        return ListChanges(mark: found.mark, changes: found.changes)
    }

    private struct Found {
        var mark: ListMark
        var changes: [ListChange] = []
        private var bytes = 0

        init(_ mark: ListMark) { self.mark = mark }

        var isFull: Bool { changes.count >= answerChanges || bytes >= answerBytes }

        mutating func add(_ change: ListChange) {
            changes.append(change)
            bytes += change.weight
        }
    }

    /// - Returns: false if there is no room for all of it: the mark then stands amid the entry.
    private func add(
        _ seen: RecentChanges.Seen, to found: inout Found, _ filter: ListFilter, _ since: ListMark
    ) throws(StoreError) -> Bool {
        for index in seen.changes.indices.dropFirst(planted("tellAnEntryAnew") ? 0 : found.mark.changes) {
            guard !found.isFull else {
                found.mark.changes = index
                return false
            }
            if let change = try listed(seen.changes[index], filter, since) { found.add(change) }
        }
        (found.mark.epoch, found.mark.lsn) = (seen.position.epoch.value, seen.position.lsn.value)
        found.mark.changes = 0
        return true
    }

    /// What a change means for the list; nil: nothing.
    private func listed(
        _ change: TicketChange, _ filter: ListFilter, _ mark: ListMark
    ) throws(StoreError) -> ListChange? {
        var known: Ticket?
        func ticket() throws(StoreError) -> Ticket? {
            if known == nil { known = try reader.ticket(change.row.ticket) }
            return known
        }
        func isLate() throws(StoreError) -> Bool {
            guard let ticket = try ticket(), let deadline = ticket.deadline else { return false }
            return (deadline, ticket.id) <= (mark.time, mark.ticket)
        }
        let was = try change.before.map { before throws(StoreError) in
            try filter.holds(before.state, before.unit, isLate: isLate)
        }
        let place = change.place
        let holds = try filter.holds(place.state, place.unit, isLate: isLate)
        switch (was ?? false, holds) {
        case (false, false): return nil
        case (true, true): return .changed(change.row)
        case (true, false): return planted("nothingLeavesAList") ? nil : .left(change.row)
        case (false, true):
            guard var ticket = try ticket() else { return nil }
            // As it was then; the rest of it never changes.
            (ticket.state, ticket.unit, ticket.revision) = (place.state, place.unit, change.row.revision)
            return .entered(ticket, change.row)
        }
    }

    private func addLate(
        _ found: inout Found, _ filter: ListFilter, through time: Int64
    ) throws(StoreError) {
        guard found.mark.time < time else { return }
        var isAll = true
        let begin = found.mark
        try reader.late(after: begin, through: time) { ticket in
            guard !found.isFull else {
                isAll = false
                return false
            }
            (found.mark.time, found.mark.ticket) = (ticket.deadline ?? time, ticket.id)
            // Its deadline has passed, that is why it is here.
            if filter.holds(ticket.state, ticket.unit, isLate: { true }) { found.add(.entered(ticket, nil)) }
            return true
        }
        if isAll { (found.mark.time, found.mark.ticket) = (time, .last) }
    }
}

extension ListChange {
    /// In bytes, roughly.
    fileprivate var weight: Int {
        switch self {
        case .entered(let ticket, let row): 300 + ticket.text.utf8.count + (row?.note.utf8.count ?? 0)
        case .changed(let row), .left(let row): 150 + row.note.utf8.count
        }
    }
}
