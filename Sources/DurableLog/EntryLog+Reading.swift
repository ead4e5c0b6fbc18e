import Replication
import Wire

extension EntryLog {
    /// The entries from one on, as frames for the other node; for catching up. At least one if there is one, and no
    /// more than so many bytes otherwise. Each is verified.
    /// - Throws: `released` if the log begins later; `damaged`.
    package func read(from lsn: LSN, maxBytes: Int) throws(LogError) -> [EntryFrame] {
        try closingOnFailure { () throws(LogError) in
            guard lsn >= first else { throw .released(lsn, first: first) }
            var frames: [EntryFrame] = []
            var (lsn, size) = (lsn, 0)
            while lsn <= last.lsn {
                let segment = segment(holding: lsn)
                var reader = FrameReader(segment, buffer: buffer)
                var offset = try reader.offset(of: lsn)
                while offset < segment.end {
                    let entry = try reader.expect(lsn, at: offset)
                    guard frames.isEmpty || size + entry.length <= maxBytes else { return frames }
                    frames.append(try reader.frame(of: entry, at: offset))
                    size += entry.length
                    offset += entry.length
                    lsn = lsn.next
                }
            }
            return frames
        }
    }

    /// The position and chain value at an LSN, nil if the log does not reach it. The one before the first is known,
    /// too.
    package func link(at lsn: LSN) throws(LogError) -> ChainLink? {
        try closingOnFailure { () throws(LogError) in
            if lsn == last.lsn { return end }
            if lsn.next == first { return segments[0].header.before }
            guard first <= lsn && lsn < last.lsn else { return nil }
            let segment = segment(holding: lsn)
            var reader = FrameReader(segment, buffer: buffer)
            let offset = try reader.offset(of: lsn)
            return ChainLink(try reader.expect(lsn, at: offset))
        }
    }

    package func position(at lsn: LSN) throws(LogError) -> Position? { try link(at: lsn)?.position }

    package func chain(at lsn: LSN) throws(LogError) -> UInt64? { try link(at: lsn)?.chain }

    /// - Precondition: the log holds the LSN.
    private func segment(holding lsn: LSN) -> Segment {
        var (low, high) = (0, segments.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if segments[middle].first <= lsn { low = middle } else { high = middle }
        }
        return segments[low]
    }
}
