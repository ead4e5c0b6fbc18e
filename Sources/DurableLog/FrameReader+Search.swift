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

    /// The first offset of a valid head.
    private static func head(in piece: UnsafeRawBufferPointer, salt: UInt32) -> Int? {
        var offset = 0
        while offset + EntryFrame.headSize <= piece.count {
            // Zeros, most of what there is, are passed over by the word: no head begins with four of them.
            if offset + 12 <= piece.count && piece.load(at: offset) as UInt64 == 0
                && piece.load(at: offset + 8) as UInt32 == 0
            {
                offset += 8
                continue
            }
            let head = UnsafeRawBufferPointer(rebasing: piece[offset..<offset + 12])
            if EntryFrame.lengths.contains(Int(head.load(at: 0) as UInt32)),
                piece.load(at: offset + 12) == crc32c(head, from: salt)
            {
                return offset
            }
            offset += 1
        }
        return nil
    }
}
