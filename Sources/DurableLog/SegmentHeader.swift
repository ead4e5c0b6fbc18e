import Replication
import Wire

/// A segment: a header in a block of its own, then the frames of entries (EntryFrame.swift) in LSN order, without gaps,
/// then anything, mostly zeros. Its file is named by the LSN of its first entry, 16 hexadecimal digits and ".segment".
/// All integers are big-endian.
///
///     offset  size  field
///          0     4  magic "TWLS"
///          4     2  format version, 1
///          6     2  reserved, 0
///          8    16  pair id
///         24     8  LSN of the first entry
///         32     8  epoch of the entry before it, or 0
///         40     8  chain value of the entry before it, or 0
///         48  4044  reserved, 0
///       4092     4  CRC-32C of bytes 0..<4092
///       4096     …  frames
///
/// The magic, the version and the checksum stay where they are in all versions to come.
///
/// The *salt* of a segment is the low half of SipHash-2-4-64 of bytes 0..<48. Every frame of the segment has it, so a
/// frame of the file's former life, or one inside a payload (nobody outside the pair knows the chain value), is none.
///
/// A segment is named only when its header, and the whole segment before it, are synced. Therefore: a header that is
/// not valid is damage, and every entry below a segment's first one is known to be synced.
///
/// An entry is valid if and only if (1) its frame is valid, (2) its LSN follows the one before, (3) its epoch is not
/// lower, and (4) its chain value before is that of the one before. The writes between two syncs reach the disk in any
/// order, so of what stands at the first place that holds no valid entry, the *known synced* field of every valid frame
/// in the last segment is asked, of those behind that place too: if one names the LSN that belongs there, or a higher
/// one, that is damage (`LogError.damaged`). Otherwise it is a torn tail, which nobody was ever told of: the log ends
/// before it, even if whole frames follow.
struct SegmentHeader: Equatable {
    static let size = 4096
    static let version: UInt16 = 1
    private static let magic: UInt32 = 0x5457_4c53
    private static let fieldsSize = 48

    let pairID: RandomID
    /// What the first entry follows.
    let before: ChainLink

    var first: LSN { before.position.lsn.next }
    var name: String { Self.name(first) }

    var salt: UInt32 {
        let bytes = bytes
        var hash = SipHash(k0: 0x5477_696e_6c69_6e65, k1: 0x2073_6567_6d65_6e74, wide: false)
        bytes.withUnsafeBytes { hash.combine(UnsafeRawBufferPointer(rebasing: $0[..<Self.fieldsSize])) }
        return UInt32(truncatingIfNeeded: hash.finalize64())
    }

    static func name(_ first: LSN) -> String {
        let digits = String(first.value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits + ".segment"
    }

    /// The first LSN of the segment in a file of this name, nil if it is not a segment's.
    static func first(named name: String) -> LSN? {
        guard name.utf8.count == 24, name.hasSuffix(".segment"), let value = UInt64(name.prefix(16), radix: 16) else {
            return nil
        }
        return LSN(value)
    }

    /// The whole block.
    var bytes: [UInt8] {
        var block = [UInt8](repeating: 0, count: Self.size)
        block.withUnsafeMutableBytes { block in
            block.store(Self.magic, at: 0)
            block.store(Self.version, at: 4)
            block.store(pairID.high, at: 8)
            block.store(pairID.low, at: 16)
            block.store(first.value, at: 24)
            block.store(before.position.epoch.value, at: 32)
            block.store(before.chain, at: 40)
            block.store(crc32c(UnsafeRawBufferPointer(rebasing: block[..<(Self.size - 4)])), at: Self.size - 4)
        }
        return block
    }

    func write(to file: any DiskFile) throws(LogError) {
        try bytes.span.bytes.withUnsafeBytes { bytes throws(LogError) in try file.write(bytes, at: 0) }
    }

    init(pairID: RandomID, before: ChainLink) { (self.pairID, self.before) = (pairID, before) }

    /// - Throws: `LogError.damaged`, `newerFormat`.
    init(of file: any DiskFile, named name: String) throws(LogError) {
        let block = Buffer()
        let bytes = try block.fill(Self.size, from: file, at: 0)
        func damaged(_ offset: Int, _ reason: String) -> LogError {
            .damaged(path: file.path, offset: offset, reason: reason)
        }
        guard bytes.count == Self.size else { throw damaged(bytes.count, "the file ends within the segment's header") }
        guard bytes.load(at: 0) == Self.magic else { throw damaged(0, "no log segment") }
        let checked = UnsafeRawBufferPointer(rebasing: bytes[..<(Self.size - 4)])
        guard bytes.load(at: Self.size - 4) == crc32c(checked) else {
            throw damaged(0, "the checksum of the segment's header does not hold")
        }
        let version: UInt16 = bytes.load(at: 4)
        guard version <= Self.version else {
            throw .newerFormat(path: file.path, newest: Self.version, found: version)
        }
        pairID = RandomID(high: bytes.load(at: 8), low: bytes.load(at: 16))
        let first: UInt64 = bytes.load(at: 24)
        guard first > 0 && Self.name(LSN(first)) == name else { throw damaged(24, "a segment that begins at \(first)") }
        before = ChainLink(Position(Epoch(bytes.load(at: 32)), LSN(first - 1)), chain: bytes.load(at: 40))
    }
}
