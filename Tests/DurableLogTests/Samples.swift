import Replication
import Wire

@testable import DurableLog

let pairID = RandomID(high: 0xaaaa, low: 0xbbbb)

/// Frames that follow a place in a log.
func frames(after link: ChainLink = .origin, count: Int, epoch: UInt64 = 1, size: Int = 100) -> [EntryFrame] {
    var link = link
    return (0..<count).map { number in
        let lsn = link.position.lsn.next
        let entry = Entry(
            position: Position(Epoch(epoch), lsn), kind: .changes, schemaVersion: 1,
            digest: Digest(UInt128(lsn.value) << 64 | UInt128(epoch)),
            payload: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number &+ Int(lsn.value) &* 31) })
        let frame = EntryFrame(encoding: entry, chainBefore: link.chain, knownSynced: .zero)
        link = ChainLink(entry.position, chain: frame.chain)
        return frame
    }
}

extension EntryLog {
    /// Appends entries and syncs them one by one.
    func fill(_ count: Int, epoch: UInt64 = 1, size: Int = 100) throws(LogError) {
        for frame in frames(after: end, count: count, epoch: epoch, size: size) {
            try append([frame])
            _ = try sync()
        }
    }

    /// Every entry that the log retains.
    func entries() throws(LogError) -> [Entry] { try read(from: first, maxBytes: .max).map(\.entry) }
}

/// The offset of each frame in a segment that holds only these, and the end of the last.
func offsets(_ frames: [EntryFrame]) -> [Int] {
    frames.reduce(into: [SegmentHeader.size]) { $0.append($0[$0.count - 1] + $1.bytes.count) }
}
