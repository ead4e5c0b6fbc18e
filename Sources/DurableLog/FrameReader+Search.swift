import Glibc
import Replication
import Wire

extension FrameReader {
    /// Looks for valid frames at every offset from one on to the end of the file.
    /// - Returns: the end of the last one, and the highest LSN that any of them knew to be synced.
    mutating func framesAnywhere(from offset: Int) throws(LogError) -> (end: Int, knownSynced: LSN)? {
        let size = try segment.file.size()
        var result: (end: Int, knownSynced: LSN)?
        var offset = offset
        while offset + EntryFrame.headerSize <= size {
            let piece = try rest(at: offset)
            guard let candidate = Self.head(in: piece, salt: segment.salt) else {
                // A head may begin in the last bytes of this piece and end in the next.
                offset += max(piece.count - EntryFrame.headSize + 1, 1)
                continue
            }
            offset += candidate
            if case .entry(let entry) = try entry(at: offset) {
                offset += entry.length
                result = (offset, max(entry.knownSynced, result?.knownSynced ?? .zero))
            } else {
                offset += 1
            }
        }
        return result
    }

    /// How many of the next bytes, of which the first is zero, are: most of a new segment is passed over by the page.
    private static func zeros(in piece: UnsafeRawBufferPointer, at offset: Int) -> Int {
        guard let start = piece.baseAddress.map({ $0 + offset }) else { return 0 }
        for count in [4096, 64, 8] where offset + count <= piece.count {
            if memcmp(start, start + 1, count - 1) == 0 { return count }
        }
        return 0
    }

    /// The first offset of a valid head. A segment that was used before is full of its former life, so this looks at
    /// tens of millions of offsets when a node starts; of nearly all of them the length alone says that nothing begins
    /// there.
    private static func head(in piece: UnsafeRawBufferPointer, salt: UInt32) -> Int? {
        let lengths = UInt32(EntryFrame.lengths.lowerBound)...UInt32(EntryFrame.lengths.upperBound)
        var offset = 0
        while offset + EntryFrame.headSize <= piece.count {
            let length = UInt32(bigEndian: piece.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            if length == 0 {
                // No head begins with four zeros; the last three may be the length's first.
                offset += max(zeros(in: piece, at: offset), 4) - 3
                continue
            }
            if lengths.contains(length) {
                let head = UnsafeRawBufferPointer(rebasing: piece[offset..<offset + 12])
                if piece.load(at: offset + 12) == crc32c(head, from: salt) { return offset }
            }
            offset += 1
        }
        return nil
    }
}
