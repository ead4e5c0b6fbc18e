import Replication
import TestSupport
import Testing
import Wire

@testable import DurableLog

/// A segment cut short at any byte, or with any bit flipped: what opens, and what is refused.
struct LogDamageTests {
    private static let name = "0000000000000001.segment"
    private static let options = EntryLog.Options(segmentSize: 8192)

    /// A log of one segment. The batches were synced one by one.
    private struct Sample {
        var files: [String: [UInt8]]
        let frames: [EntryFrame]
        var offsets: [Int] { DurableLogTests.offsets(frames) }

        init(batches: [Int]) throws {
            let disk = SimulatedDirectory()
            let log = try EntryLog.create(in: disk, pairID: pairID, options: options)
            for count in batches {
                try log.append(DurableLogTests.frames(after: log.end, count: count, size: 20))
                _ = try log.sync()
            }
            frames = try log.read(from: LSN(1), maxBytes: .max)
            files = disk.files.mapValues(\.bytes)
        }

        /// How many entries the log has after this was done to its segment.
        func count(after change: (inout [UInt8]) -> Void) throws -> Int {
            var files = files
            change(&files[name]!)
            let disk = SimulatedDirectory(files: files)
            let log = try EntryLog.open(in: disk, options: options)
            let entries = try log.entries()
            #expect(entries == frames.prefix(entries.count).map(\.entry))
            // It goes on, and what was cut does not come back.
            try log.fill(2, epoch: 9, size: 30)
            let reopened = try EntryLog.open(in: disk.afterKill(), options: options)
            #expect(try reopened.entries() == log.entries())
            return entries.count
        }
    }

    @Test("a log cut short at any byte behind its header opens with a prefix of its entries")
    func truncation() throws {
        let sample = try Sample(batches: [1, 1, 2, 1])
        for length in SegmentHeader.size...sample.offsets[sample.frames.count] + 100 {
            let whole = sample.offsets.dropFirst().count { $0 <= length }
            #expect(try sample.count { $0.removeLast($0.count - length) } == whole)
        }
    }

    @Test("a log cut short within a segment's header is damaged")
    func truncatedHeader() throws {
        let sample = try Sample(batches: [1])
        for length in stride(from: 0, to: SegmentHeader.size, by: 61) {
            expectDamage { _ = try sample.count { $0.removeLast($0.count - length) } }
        }
    }

    @Test("a flipped bit is damage if a later frame knew the entry to be synced; otherwise the log ends before it")
    func flippedBits() throws {
        // Entries 3, 4 and 5 were written at once: they know 2 to be synced. Entry 6 knows 5.
        let unknown = try Sample(batches: [1, 1, 3])
        let known = try Sample(batches: [1, 1, 3, 1])
        for (sample, lastKnown) in [(unknown, 2), (known, 5)] {
            let offsets = sample.offsets
            for bit in offsets[0] * 8..<offsets[offsets.count - 1] * 8 {
                let hit = offsets.count { $0 <= bit / 8 }
                let flip = { (bytes: inout [UInt8]) in bytes[bit / 8] ^= 1 << (bit % 8) }
                if hit > lastKnown {
                    #expect(try sample.count(after: flip) == hit - 1)
                } else {
                    expectDamage(at: offsets[hit - 1]) { _ = try sample.count(after: flip) }
                }
            }
        }
    }

    @Test("a flipped bit in a segment's header is damage")
    func flippedHeader() throws {
        let sample = try Sample(batches: [1])
        for bit in stride(from: 0, to: SegmentHeader.size * 8, by: 31) {
            expectDamage(at: 0) { _ = try sample.count { $0[bit / 8] ^= 1 << (bit % 8) } }
        }
    }

    @Test("whatever stands behind the end of the log means nothing")
    func garbageBehindTheEnd() throws {
        let sample = try Sample(batches: [2, 1])
        var random = SeededRandom(1)
        let end = sample.offsets[3]
        #expect(try sample.count { for i in end..<$0.count { $0[i] = UInt8.random(in: 0...3, using: &random) } } == 3)
    }

    @Test("frames inside a torn entry's payload, even with a later LSN, are no frames of the log")
    func forgedFrames() throws {
        let disk = SimulatedDirectory()
        let log = try EntryLog.create(in: disk, pairID: pairID, options: Self.options)
        try log.fill(1)
        var forged = DurableLogTests.frames(after: ChainLink(Position(Epoch(1), LSN(99)), chain: 5), count: 1)[0]
        forged.stamp(knownSynced: LSN(90))
        let carrier = Entry(
            position: Position(Epoch(1), LSN(2)), kind: .changes, schemaVersion: 1, digest: .zero,
            payload: forged.bytes)
        try log.append([EntryFrame(encoding: carrier, chainBefore: log.lastChain, knownSynced: .zero)])
        var files = disk.files.mapValues(\.bytes)
        files[Self.name]?[SegmentHeader.size + 168] ^= 1
        #expect(try EntryLog.open(in: SimulatedDirectory(files: files), options: Self.options).last.lsn == LSN(1))
    }

    @Test("an entry missing before the last segment is damage, and so is a segment missing between two")
    func earlierSegments() throws {
        let disk = SimulatedDirectory()
        let log = try EntryLog.create(in: disk, pairID: pairID, options: Self.options)
        try log.append(DurableLogTests.frames(count: 60))
        let files = disk.files.mapValues(\.bytes)
        let names = log.segments.map(\.name)
        #expect(names.count == 3)
        for name in names.dropLast() {
            var changed = files
            changed[name]?[SegmentHeader.size + 168 * 3 + 20] ^= 1
            expectDamage(of: name, at: SegmentHeader.size + 168 * 3) {
                _ = try EntryLog.open(in: SimulatedDirectory(files: changed), options: Self.options)
            }
        }
        var changed = files
        changed[names[1]] = nil
        expectDamage(of: names[0]) {
            _ = try EntryLog.open(in: SimulatedDirectory(files: changed), options: Self.options)
        }
    }

    private func expectDamage(of name: String = name, at offset: Int? = nil, _ body: () throws -> Void) {
        do {
            try body()
            Issue.record("damage was not found")
        } catch LogError.damaged(let path, let found, _) {
            #expect(path == "disk/" + name)
            #expect(found == offset ?? found)
        } catch {
            Issue.record(error)
        }
    }
}
