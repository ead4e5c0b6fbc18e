import Replication
import TestSupport
import Testing
import Wire

@testable import DurableLog

struct EntryLogTests {
    let disk = SimulatedDirectory()
    let options = EntryLog.Options(segmentSize: 8192)

    private func create(before: ChainLink = .origin) throws -> EntryLog {
        try EntryLog.create(in: disk, pairID: pairID, before: before, options: options)
    }
    private func reopen() throws -> EntryLog { try EntryLog.open(in: disk, expecting: pairID, options: options) }

    @Test("a new log is empty")
    func empty() throws {
        let log = try create()
        #expect(log.last == .zero && log.first == LSN(1) && log.synced == .zero && log.lastChain == 0)
        #expect(try log.entries() == [])
        #expect(log.epochStarts() == [])
        #expect(try log.link(at: .zero) == .origin)
    }

    @Test("a log may begin at a snapshot's place")
    func beginsLater() throws {
        let place = ChainLink(Position(Epoch(3), LSN(41)), chain: 77)
        let log = try create(before: place)
        #expect(log.last == place.position && log.first == LSN(42))
        try log.fill(2, epoch: 3)
        #expect(try reopen().last == Position(Epoch(3), LSN(43)))
        #expect(try reopen().link(at: LSN(41)) == place)
        #expect(throws: LogError.released(LSN(41), first: LSN(42))) { try reopen().read(from: LSN(41), maxBytes: 1) }
    }

    @Test("what was appended is read back, over segments and after opening it again")
    func readsBack() throws {
        let log = try create()
        let all = frames(count: 100)
        try log.append(Array(all[..<60]))
        try log.append(Array(all[60...]))
        #expect(log.synced < log.last.lsn)
        #expect(try log.sync() == LSN(100))
        for log in [log, try reopen()] {
            #expect(try log.entries() == all.map(\.entry))
            #expect(log.end == ChainLink(all[99].position, chain: all[99].chain))
            #expect(log.synced == LSN(100))
            #expect(log.segments.count == 5)
            for lsn in 1...100 {
                #expect(try log.chain(at: LSN(UInt64(lsn))) == all[lsn - 1].chain)
                #expect(try log.position(at: LSN(UInt64(lsn))) == all[lsn - 1].position)
                #expect(try log.read(from: LSN(UInt64(lsn)), maxBytes: 0).map(\.entry) == [all[lsn - 1].entry])
            }
            #expect(try log.link(at: LSN(101)) == nil)
            #expect(try log.read(from: LSN(101), maxBytes: 1000) == [])
            #expect(try log.read(from: LSN(3), maxBytes: 168 * 30).count == 30)
        }
    }

    @Test("frames are read as they go to the other node: with salt 0")
    func readForSending() throws {
        let log = try create()
        try log.fill(2)
        let frame = try log.read(from: LSN(2), maxBytes: 0)[0]
        #expect(frame.knownSynced == LSN(1))
        #expect(try EntryFrame.decode(frame.bytes[...]) == frame)
    }

    @Test("an entry that does not follow is refused, and nothing of its batch is appended")
    func outOfOrder() throws {
        let log = try create()
        try log.fill(3, epoch: 3)
        let end = log.end
        let next = frames(after: end, count: 3, epoch: 3)
        let lower = frames(after: end, count: 1, epoch: 2)
        let forked = frames(after: ChainLink(end.position, chain: end.chain ^ 1), count: 1, epoch: 3)
        for batch in [[next[1]], [next[0], next[2]], lower, forked, [next[0], next[0]]] {
            #expect(throws: LogError.self) { try log.append(batch) }
            #expect(log.end == end)
        }
        try log.append(next)
        #expect(log.last.lsn == LSN(6))
    }

    @Test("the log knows where each epoch began")
    func epochs() throws {
        let log = try create()
        for epoch in [1, 4, 5, 8] as [UInt64] { try log.fill(20, epoch: epoch) }
        let starts = zip([1, 4, 5, 8], [1, 21, 41, 61]).map { Position(Epoch($0), LSN($1)) }
        #expect(log.epochStarts() == starts)
        #expect(try reopen().epochStarts() == starts)
        try log.release(before: LSN(50))
        let first = log.first
        #expect(first > LSN(41) && first <= LSN(50))
        #expect(log.epochStarts() == [Position(Epoch(5), first), starts[3]])
        try log.cut(to: LSN(60))
        #expect(log.epochStarts() == [Position(Epoch(5), first)])
        #expect(try reopen().epochStarts() == log.epochStarts())
    }

    @Test("an entry larger than a segment gets a segment of its own size")
    func bigEntry() throws {
        let log = try create()
        try log.fill(1, size: 50_000)
        try log.fill(2)
        try log.fill(1, size: 70_000)
        try log.fill(1)
        let entries = try log.entries()
        #expect(entries.map(\.payload.count) == [50_000, 100, 100, 70_000, 100])
        #expect(try reopen().entries() == entries)
        #expect(log.segments.map(\.first.value) == [1, 2, 4, 5])
        try log.release(before: LSN(5))
        #expect(try reopen().entries() == [entries[4]])
    }

    @Test("released segments are used again, and what they held never shows")
    func recycling() throws {
        let log = try create()
        for round in 0..<20 {
            try log.fill(40, size: 50 + round)
            try log.release(before: LSN(log.last.lsn.value - 5))
        }
        #expect(disk.files.count <= 2 + options.spares + 1)
        let entries = try log.entries()
        #expect(entries.last?.position.lsn == LSN(800) && entries.count < 60)
        #expect(try reopen().entries() == entries)
        #expect(throws: LogError.released(LSN(700), first: log.first)) { try log.read(from: LSN(700), maxBytes: 1) }
    }

    @Test("the newest synced entry is not released, whatever is asked for")
    func keepsNewestSynced() throws {
        let log = try create()
        try log.append(frames(count: 25))
        #expect(log.segments.map(\.first.value) == [1, 25] && log.synced == LSN(24))
        try log.release(before: LSN(26))
        #expect(log.first == LSN(1))
        _ = try log.sync()
        try log.release(before: LSN(26))
        #expect(log.first == LSN(25))
        #expect(try reopen().entries().map(\.position.lsn) == [LSN(25)])
    }

    @Test("a prepared segment is taken for the next roll")
    func preparing() throws {
        let log = try create()
        while try log.prepareNextSegment() {}
        #expect(disk.files.keys.contains { $0.hasPrefix("spare-") })
        try log.fill(25)
        #expect(!disk.files.keys.contains { $0.hasPrefix("spare-") })
        #expect(log.segments.count == 2)
    }

    @Test("only the log's own pair, format and directory are opened")
    func refusals() throws {
        #expect(throws: LogError.missing(path: "disk/0000000000000001.segment")) { try reopen() }
        _ = try create()
        #expect(throws: LogError.exists(path: "disk/0000000000000001.segment")) { try create() }
        let other = RandomID(high: 1, low: 1)
        let found = LogError.wrongPair(path: "disk/0000000000000001.segment", expected: other, found: pairID)
        #expect(throws: found) { try EntryLog.open(in: disk, expecting: other, options: options) }
        #expect(try EntryLog.open(in: disk, options: options).pairID == pairID)

        var header = SegmentHeader(pairID: pairID, before: .origin).bytes
        header[5] = 2
        header.withUnsafeMutableBytes { block in
            block.store(crc32c(UnsafeRawBufferPointer(rebasing: block[..<4092])), at: 4092)
            try? disk.files["0000000000000001.segment"]?.write(UnsafeRawBufferPointer(block), at: 0)
        }
        let newer = LogError.newerFormat(path: "disk/0000000000000001.segment", newest: 1, found: 2)
        #expect(throws: newer) { try reopen() }
    }

    @Test("after a failed sync the log is closed")
    func failedSync() throws {
        let log = try create()
        try log.append(frames(count: 1))
        disk.nextSyncFails = true
        #expect(throws: LogError.syncFailed(path: "disk/0000000000000001.segment", errno: 5)) { try log.sync() }
        #expect(throws: LogError.closed(path: "disk")) { try log.sync() }
        #expect(throws: LogError.closed(path: "disk")) { try log.append(frames(after: log.end, count: 1)) }
        #expect(throws: LogError.closed(path: "disk")) { try log.entries() }
        #expect(log.synced == .zero)
    }

    @Test("opening a log puts on the disk what a failed sync left in the cache")
    func opensAfterFailedSync() throws {
        let log = try create()
        try log.fill(3)
        try log.append(frames(after: log.end, count: 3))
        disk.nextSyncFails = true
        #expect(throws: LogError.self) { try log.sync() }
        #expect(try reopen().synced == LSN(6))
        for seed in 0..<20 {
            var random = SeededRandom(UInt64(seed))
            let log = try EntryLog.open(in: disk.afterCrash(&random), options: options)
            #expect(log.last.lsn == LSN(6))
        }
    }

    @Test("a full disk refuses the roll, and the log goes on when there is room")
    func full() throws {
        let log = try create()
        try log.fill(24)
        disk.freeBytes = 100
        let next = frames(after: log.end, count: 1)
        #expect(throws: LogError.full(path: "disk/spare-1")) { try log.append(next) }
        #expect(try log.entries().count == 24)
        disk.freeBytes = 100_000
        try log.append(next)
        #expect(try reopen().entries().count == 25)
    }
}
