import Planted
import Replication
import Wire

/// The log's newest entries in memory, for the standby and the database, which want them right after they are appended.
/// What has been dropped from here is read from the log.
struct EntryCache {
    /// Enough for a second of full load; a standby that is further behind is served from the disk.
    static let limit = 32 << 20

    private var frames: [EntryFrame] = []
    /// Frames before this index are dropped; compacted now and then.
    private var head = 0
    private var bytes = 0

    private var first: LSN? { head < frames.count ? frames[head].position.lsn : nil }

    /// After the log was cut, what comes does not follow what is here: then this begins anew. Until then nobody asks
    /// for entries behind the log's end.
    mutating func append(_ new: [EntryFrame]) {
        guard let start = new.first?.position.lsn else { return }
        if let last = frames.last, last.position.lsn.next != start, !planted("cacheOutlivesTheCut") { removeAll() }
        frames.append(contentsOf: new)
        bytes += new.reduce(0) { $0 + $1.bytes.count }
        while bytes > Self.limit, head < frames.count - 1 { dropFirst() }
        compact()
    }

    /// Consecutive entries from `lsn` on, up to `last` and about `maxBytes`, but at least one. Nil: read the log.
    func entries(from lsn: LSN, through last: LSN, maxBytes: Int) -> [EntryFrame]? {
        guard let first, lsn >= first, lsn <= last else { return nil }
        let start = head + Int(lsn.value - first.value)
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
        while let first, first <= lsn, head < frames.count - 1 { dropFirst() }
        compact()
    }

    private mutating func dropFirst() {
        bytes -= frames[head].bytes.count
        head += 1
    }

    private mutating func compact() {
        guard head > 64, head * 2 > frames.count else { return }
        frames.removeFirst(head)
        head = 0
    }

    private mutating func removeAll() {
        frames.removeAll()
        (head, bytes) = (0, 0)
    }
}
