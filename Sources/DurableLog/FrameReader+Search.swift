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

    /// How many of the next bytes are certainly zero: most of a segment, so they are passed over by the page.
    private static func zeros(in piece: UnsafeRawBufferPointer, at offset: Int) -> Int {
        guard piece[offset] == 0, let start = piece.baseAddress.map({ $0 + offset }) else { return 0 }
        for count in [4096, 64, 8] where offset + count <= piece.count {
            if memcmp(start, start + 1, count - 1) == 0 { return count }
        }
        return 0
    }

    /// The first offset of a valid head.
    private static func head(in piece: UnsafeRawBufferPointer, salt: UInt32) -> Int? {
        var offset = 0
        while offset + EntryFrame.headSize <= piece.count {
            let zeros = zeros(in: piece, at: offset)
            if zeros >= 4 {
                // No head begins with four zeros; the last three may be the length's first.
                offset += zeros - 3
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
