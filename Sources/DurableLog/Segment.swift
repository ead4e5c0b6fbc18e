import Replication
import Wire

/// A segment that is open, and where its entries are.
struct Segment {
    let header: SegmentHeader
    let file: any DiskFile
    let salt: UInt32
    /// Up to here the file has room without growing.
    let capacity: Int
    /// Where the next frame goes. Invariant: `SegmentHeader.size` <= end <= capacity.
    private(set) var end = SegmentHeader.size
    /// Newest LSN in the segment; before its first one while it is empty.
    private(set) var last: LSN
    /// Where some of the frames begin: the first, then about one in each `indexStep` bytes.
    private var index: [(lsn: LSN, offset: Int)] = []

    /// A read from an arbitrary LSN looks at this much for nothing at most; 16 KiB of index for 64 MiB of log.
    private static let indexStep = 64 << 10

    var first: LSN { header.first }
    var name: String { header.name }
    var room: Int { capacity - end }

    init(_ header: SegmentHeader, file: any DiskFile, capacity: Int) {
        (self.header, self.file, self.capacity) = (header, file, capacity)
        salt = header.salt
        last = header.before.position.lsn
    }

    /// Takes note of the entry whose frame stands at `end`.
    mutating func add(_ lsn: LSN, length: Int) {
        if index.last.map({ end >= $0.offset + Self.indexStep }) ?? true { index.append((lsn, end)) }
        last = lsn
        end += length
    }

    /// The entries after this one, whose frame ends at `end`, are gone.
    mutating func cut(to lsn: LSN, end: Int) {
        (last, self.end) = (lsn, end)
        index.removeAll { $0.lsn > lsn }
    }

    /// An entry at or before this LSN, as near as the index knows.
    /// - Precondition: the segment holds the LSN.
    func start(for lsn: LSN) -> (lsn: LSN, offset: Int) {
        precondition(first <= lsn && lsn <= last, "entry \(lsn), outside \(first)...\(last)")
        var (low, high) = (0, index.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if index[middle].lsn <= lsn { low = middle } else { high = middle }
        }
        return index[low]
    }

    func damaged(at offset: Int, _ reason: String) -> LogError {
        .damaged(path: file.path, offset: offset, reason: reason)
    }
}
