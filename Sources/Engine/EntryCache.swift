import DequeModule
import Planted
import Replication
import Wire

/// The log's newest entries in memory, for the standby and the database, which want them right after they are appended.
/// What has been dropped from here is read from the log.
struct EntryCache {
    /// Enough for a second of full load; a standby that is further behind is served from the disk.
    static let limit = 32 << 20

    private var frames: Deque<EntryFrame> = []
    private var bytes = 0

    /// How many entries it holds.
    var count: Int { frames.count }

    /// After the log was cut, what comes does not follow what is here: then this begins anew. Until then nobody asks
    /// for entries behind the log's end.
    mutating func append(_ new: [EntryFrame]) {
        guard let start = new.first?.position.lsn else { return }
        if let last = frames.last, last.position.lsn.next != start, !planted("cacheOutlivesTheCut") { removeAll() }
        frames.append(contentsOf: new)
        bytes += new.reduce(0) { $0 + $1.bytes.count }
        while bytes > Self.limit, frames.count > 1 { dropFirst() }
    }

    /// Consecutive entries from `lsn` on, up to `last` and about `maxBytes`, but at least one. Nil: read the log.
    func entries(from lsn: LSN, through last: LSN, maxBytes: Int) -> [EntryFrame]? {
        guard let first = frames.first?.position.lsn, lsn >= first, lsn <= last else { return nil }
        let start = Int(lsn.value - first.value)
        guard start < frames.count else { return nil }
        var end = start
        var size = 0
        while end < frames.count, frames[end].position.lsn <= last, end == start || size < maxBytes {
            size += frames[end].bytes.count
            end += 1
        }
        return Array(frames[start..<end])
    }

    /// Entries at or below this LSN are wanted by nobody.
    mutating func release(through lsn: LSN) {
        while let first = frames.first, first.position.lsn <= lsn, frames.count > 1 { dropFirst() }
    }

    private mutating func dropFirst() { bytes -= frames.removeFirst().bytes.count }

    private mutating func removeAll() {
        frames.removeAll()
        bytes = 0
    }
}
