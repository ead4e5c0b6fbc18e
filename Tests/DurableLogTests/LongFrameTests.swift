import Replication
import TestSupport
import Testing
import Wire

@testable import DurableLog

/// A frame of over 4 MiB, which is written and synced in pieces: crashes between and within them, and a disk that turns
/// out to be full.
struct LongFrameTests {
    private static let options = EntryLog.Options(segmentSize: 12 << 20, spares: 0)
    /// Synced, all of them.
    private static let before: UInt64 = 3

    /// A log of some short entries, as a killed process leaves it.
    private let base: [String: [UInt8]]
    /// What is appended: a short entry, the long one, a short one.
    private let next: [EntryFrame]
    private let old: [Entry]
    private let segment = SegmentHeader.name(LSN(1))
    /// Where the long frame lies in the segment.
    private let long: Range<Int>

    init() throws {
        let disk = SimulatedDirectory()
        let log = try EntryLog.create(in: disk, pairID: pairID, options: Self.options)
        try log.fill(Int(Self.before))
        (base, old) = (disk.files.mapValues(\.bytes), try log.entries())
        let short = frames(after: log.end, count: 1)
        let large = Self.frame(after: short[0], size: 9 << 20)
        let last = frames(after: ChainLink(large.position, chain: large.chain), count: 1)
        next = short + [large] + last
        let start = SegmentHeader.size + old.count * short[0].bytes.count + short[0].bytes.count
        long = start..<start + large.bytes.count
    }

    /// No sector of it is all zeros, and most of it is, so that the search behind a tear is short.
    private static func frame(after link: EntryFrame, size: Int) -> EntryFrame {
        var random = SeededRandom(UInt64(size))
        var payload = [UInt8](repeating: 0, count: size)
        payload.withUnsafeMutableBytes { bytes in
            for sector in 0..<size / 256 { bytes.store(random.next() | 1, at: sector * 256) }
        }
        let entry = Entry(
            position: Position(link.position.epoch, link.position.lsn.next), kind: .changes, schemaVersion: 1,
            digest: Digest(7), payload: payload)
        return EntryFrame(encoding: entry, chainBefore: link.chain, knownSynced: .zero)
    }

    private func opened(_ disk: SimulatedDirectory) throws -> EntryLog {
        try EntryLog.open(in: disk, expecting: pairID, options: Self.options)
    }

    /// It holds so many of the entries and nothing else, and what is appended next is not mixed with what was cut.
    private func expect(_ disk: SimulatedDirectory, atLeast synced: LSN, _ place: String) throws -> LSN {
        let log = try opened(disk)
        let end = log.last.lsn
        #expect(end >= synced, "\(place)")
        let entries = try log.entries()
        let whole = (old + next.map(\.entry)).prefix(Int(end.value))
        // Not by `==` in `expect`, which would print megabytes.
        let isPrefix = entries.elementsEqual(whole)
        #expect(isPrefix, "\(place)")
        try log.fill(2, epoch: 50)
        let reopened = try opened(disk.afterKill())
        let isSame = try reopened.entries().dropLast(2).elementsEqual(whole)
        #expect(isSame && reopened.last.lsn.value == end.value + 2, "\(place)")
        return end
    }

    @Test("after a power cut before, within or behind the pieces the log has what was synced, and the torn one is cut")
    func powerCuts() throws {
        var random = SeededRandom(1)
        var ends: Set<UInt64> = []
        for step in 0..<100 {
            let disk = SimulatedDirectory(files: base)
            let log = try opened(disk)
            disk.crashAfter = disk.changes + step
            var synced = LSN(Self.before)
            do {
                try log.append(next)
                synced = try log.sync()
            } catch {
                guard disk.hasCrashed else { throw error }
            }
            for round in 0..<3 {
                let remains = disk.afterCrash(&random)
                ends.insert(try expect(remains, atLeast: synced, "step \(step), round \(round)").value)
            }
            if !disk.hasCrashed {
                #expect(ends == [3, 4, 5, 6] && step >= 9)
                return
            }
        }
        Issue.record("the disk crashes for ever")
    }

    @Test("a long frame that is cut anywhere is not there, and what is before it is")
    func cuts() throws {
        let disk = SimulatedDirectory(files: base)
        let log = try opened(disk)
        try log.append(Array(next[..<2]))
        let bytes = disk.files.mapValues(\.bytes)
        var random = SeededRandom(2)
        let head = long.lowerBound + EntryFrame.headSize
        var places = [long.lowerBound, head - 1, head, long.lowerBound + EntryFrame.headerSize, long.upperBound - 1]
        for piece in [4 << 20, 8 << 20] { places += [long.lowerBound + piece - 1, long.lowerBound + piece] }
        places += (0..<8).map { _ in Int.random(in: long, using: &random) }
        for place in places {
            var torn = bytes
            let size = torn[segment]?.count ?? 0
            torn[segment]?.replaceSubrange(place..., with: [UInt8](repeating: 0, count: size - place))
            // The last bytes of the payload are zeros, and so no less there for being cut.
            let isWhole = place >= long.upperBound - 248
            let end = try expect(SimulatedDirectory(files: torn), atLeast: LSN(4), "at \(place)")
            #expect(end == LSN(isWhole ? 5 : 4), "at \(place)")
        }
    }

    @Test("a disk that is full amid the pieces is named, nothing of the frame counts, and it goes on with room again")
    func full() throws {
        for room in [0, 10, 100, 4 << 20, 5 << 20, (9 << 20) - 500] {
            let disk = SimulatedDirectory(files: base)
            let log = try opened(disk)
            disk.writableBytes = next[0].bytes.count + room
            let refused = #expect(throws: LogError.self) { try log.append(next) }
            #expect(refused == .full(path: "disk/\(segment)"))
            #expect(refused.map { "\($0)" } == "no room on the disk for disk/\(segment); make room")
            #expect(log.last.lsn == LSN(4), "room for \(room)")
            // As the log's thread does: what is left is tried again, and what is there may be synced meanwhile.
            #expect(throws: LogError.full(path: "disk/\(segment)")) { try log.append(Array(next[1...])) }
            #expect(try log.sync() == LSN(4))
            var random = SeededRandom(UInt64(room))
            let remains = disk.afterCrash(&random)
            #expect(try expect(remains, atLeast: LSN(4), "room for \(room)") == LSN(4))

            disk.writableBytes = .max
            try log.append(Array(next[1...]))
            #expect(try log.sync() == LSN(6))
            #expect(try expect(disk.afterCrash(&random), atLeast: LSN(6), "room for \(room)") == LSN(6))
        }
    }
}
