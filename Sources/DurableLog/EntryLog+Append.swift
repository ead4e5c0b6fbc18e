import Replication
import Wire

extension EntryLog {
    /// What is written, and for a long frame synced, at once: a slow disk's tenth of a second.
    private static let piece = 4 << 20

    /// Appends entries, all or none if they are out of order. Each must follow the one before: the next LSN, an epoch
    /// not lower, the chain. Their local heads are written anew. One copy into a buffer, one write; a roll to the next
    /// segment syncs what the old one holds, and is slow unless `prepareNextSegment` has run.
    /// - Throws: `outOfOrder`; `full`, and then `last` tells how many were appended before the disk was full;
    ///   `io` and `syncFailed`, which close the log.
    package func append(_ frames: [EntryFrame]) throws(LogError) {
        try closingOnFailure { () throws(LogError) in
            try checkOrder(of: frames)
            var rest = frames[...]
            while let next = rest.first {
                let fitting = fitting(rest)
                if fitting.isEmpty {
                    try roll(forFrameOf: next.bytes.count)
                } else {
                    try write(fitting)
                    rest = rest[fitting.endIndex...]
                }
            }
        }
    }

    private func checkOrder(of frames: [EntryFrame]) throws(LogError) {
        var link = end
        for frame in frames {
            let position = frame.position
            guard link.precedes(position, chainBefore: frame.chainBefore) else {
                throw .outOfOrder(after: link, found: position, chainBefore: frame.chainBefore)
            }
            link = ChainLink(position, chain: frame.chain)
        }
    }

    /// As many of the frames as the last segment has room for.
    private func fitting(_ frames: ArraySlice<EntryFrame>) -> ArraySlice<EntryFrame> {
        var room = segments[lastIndex].room
        return frames.prefix { frame in
            room -= frame.bytes.count
            return room >= 0
        }
    }

    private func write(_ frames: ArraySlice<EntryFrame>) throws(LogError) {
        let size = frames.reduce(0) { $0 + $1.bytes.count }
        if size <= Self.piece {
            try writeTogether(frames, size)
        } else {
            for frame in frames { try writeInPieces(frame) }
        }
    }

    /// Synced one by one, so that a long frame takes no longer than it must and can be seen to move. None of it counts
    /// before the last is there: until then its checksum does not hold.
    private func writeInPieces(_ frame: EntryFrame) throws(LogError) {
        let segment = segments[lastIndex]
        let head = frame.head(knownSynced: synced, salt: segment.salt)
        try head.span.bytes.withUnsafeBytes { bytes throws(LogError) in try segment.file.write(bytes, at: segment.end) }
        var offset = head.count
        while offset < frame.bytes.count {
            let end = min(offset + Self.piece, frame.bytes.count)
            let piece = frame.bytes.span.bytes.extracting(offset..<end)
            let place = segment.end + offset
            try piece.withUnsafeBytes { bytes throws(LogError) in try segment.file.write(bytes, at: place) }
            try segment.file.sync()
            worked()
            offset = end
        }
        note([frame])
    }

    private func writeTogether(_ frames: ArraySlice<EntryFrame>, _ size: Int) throws(LogError) {
        let segment = segments[lastIndex]
        let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer.reserve(size)[..<size])
        var offset = 0
        for frame in frames {
            let target = UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
            frame.write(to: target, knownSynced: synced, salt: segment.salt)
            offset += frame.bytes.count
        }
        try segment.file.write(UnsafeRawBufferPointer(bytes), at: segment.end)
        note(frames)
    }

    /// The last segment holds them.
    private func note(_ frames: ArraySlice<EntryFrame>) {
        for frame in frames {
            segments[lastIndex].add(frame.position.lsn, length: frame.bytes.count)
            if starts.last?.epoch != frame.position.epoch { starts.append(frame.position) }
        }
        if let newest = frames.last { end = ChainLink(newest.position, chain: newest.chain) }
    }

    /// Begins the next segment: all entries are then synced, which is what its header says.
    private func roll(forFrameOf length: Int) throws(LogError) {
        try segments[lastIndex].file.sync()
        synced = last.lsn
        let size = max(options.segmentSize, SegmentHeader.size + length)
        let header = SegmentHeader(pairID: pairID, before: end)
        let segment = try Self.begin(header, size: size, in: directory, spares: &spares)
        if segments[lastIndex].last < segments[lastIndex].first {
            // An empty segment too small for the entry has given its name away.
            segments.removeLast()
        }
        segments.append(segment)
    }

    /// Gives a file a header, and when that is on the disk a segment's name.
    static func begin(
        _ header: SegmentHeader, size: Int, in directory: any DiskDirectory, spares: inout Spares
    ) throws(LogError) -> Segment {
        let spare = try spares.take(size: size)
        try header.write(to: spare.file)
        try spare.file.sync()
        try directory.rename(spare.name, to: header.name)
        try directory.sync()
        let file = spare.file
        file.path = directory.path(of: header.name)
        return Segment(header, file: file, capacity: size)
    }
}
