import DurableLog
import Planted
import Replication
import Store
import Wire

/// What the log's entries did to tickets: read beside the node that writes the log, kept for those who all follow its
/// end.
final class RecentChanges {
    struct Seen {
        let position: Position
        let changes: [TicketChange]
    }

    /// Read at once, so that nobody waits for long behind one who has been away; bytes of the log.
    private static let slice = 4 << 20
    /// Kept from before the place where reading begins, for others who come back to about the same one.
    private static let reach: UInt64 = 512
    private static let keptEntries = 8192, keptChanges = 32768

    private let directory: any ReadableDirectory
    private var view: LogView?
    /// What `recent` follows.
    private var base = Position.zero
    private var recent: [Seen] = []
    private var changes = 0

    init(_ directory: any ReadableDirectory) { self.directory = directory }

    private var last: Position { recent.last?.position ?? base }

    /// Entries after this position, up to this LSN or as many as are read at once.
    /// - Parameter lsn: applied, so it is in the log for good.
    /// - Returns: nil where the log does not tell: it does not reach back, or never had this position.
    func entries(after mark: Position, through lsn: LSN) -> ArraySlice<Seen>? {
        do throws(LogError) {
            if view == nil || mark.lsn < base.lsn || mark.lsn > last.lsn {
                guard try begin(at: mark) else { return nil }
            }
            guard position(at: mark.lsn) == mark || planted("anyMarkWillDo") else { return nil }
            if last.lsn < lsn { try readOn(through: lsn) }
        } catch {
            forget()
            return nil
        }
        let from = Int(mark.lsn.value - min(base.lsn.value, mark.lsn.value))
        return from <= recent.count ? recent[from...] : []
    }

    private func position(at lsn: LSN) -> Position? {
        if lsn == base.lsn { return base }
        let index = Int(lsn.value - base.lsn.value) - 1
        return recent.indices.contains(index) ? recent[index].position : nil
    }

    private func forget() { (view, base, recent, changes) = (nil, .zero, [], 0) }

    private func begin(at mark: Position) throws(LogError) -> Bool {
        forget()
        let view = try LogView(of: directory)
        let start = LSN(mark.lsn.value > Self.reach ? mark.lsn.value - Self.reach : 0)
        try view.seek(to: start.next)
        guard view.last.lsn <= mark.lsn else { return false }
        base = view.last
        while view.last.lsn < mark.lsn {
            guard let frame = try view.read() else { return false }
            if frame.position.lsn <= start { base = frame.position } else { keep(frame) }
        }
        self.view = view
        return view.last == mark || planted("anyMarkWillDo")
    }

    private func readOn(through lsn: LSN) throws(LogError) {
        guard let view else { return }
        view.refresh()
        var bytes = 0
        while view.last.lsn < lsn, bytes < Self.slice, let frame = try view.read() {
            bytes += frame.bytes.count
            keep(frame)
        }
    }

    private func keep(_ frame: EntryFrame) {
        // The node applied it: so it can be read.
        let found = (try? TicketChange.all(in: frame.entry)) ?? []
        recent.append(Seen(position: frame.position, changes: found))
        changes += found.count
        guard recent.count > Self.keptEntries || changes > Self.keptChanges, recent.count > 2 else { return }
        let old = recent[..<(recent.count / 2)]
        base = recent[old.endIndex - 1].position
        changes -= old.reduce(0) { $0 + $1.changes.count }
        recent.removeFirst(old.count)
    }
}
