import Foundation
import Replication
import Synchronization
import Testing
import Wire

@testable import DurableLog

/// Looking at a log without opening it.
struct LogViewTests {
    private static let options = EntryLog.Options(segmentSize: 8192)

    private func entries(_ directory: any ReadableDirectory, from lsn: LSN = .zero) throws(LogError) -> [Entry] {
        let view = try LogView(of: directory)
        try view.seek(to: lsn)
        var entries: [Entry] = []
        while let frame = try view.read() { entries.append(frame.entry) }
        return entries
    }

    @Test("all entries of all segments, from any one on, and nothing is written")
    func whole() throws {
        let disk = SimulatedDirectory()
        let log = try EntryLog.create(in: disk, pairID: pairID, options: Self.options)
        try log.fill(100, size: 100)
        try log.release(before: LSN(30))
        let all = try log.entries()
        let (changes, files) = (disk.changes, disk.files.mapValues(\.bytes))
        #expect(try entries(disk) == all)
        #expect(all[0].position.lsn > LSN(1) && log.segments.count > 1)
        for start in log.segments.map(\.first) {
            #expect(try entries(disk, from: start) == all.filter { $0.position.lsn >= start })
        }
        #expect(disk.changes == changes && disk.files.mapValues(\.bytes) == files)
        #expect(throws: LogError.self) { try entries(SimulatedDirectory()) }
    }

    /// What opening the log finds is the measure.
    private func expectSame(_ files: [String: [UInt8]], _ what: String) throws {
        let opened = Result<[Entry], LogError> { () throws(LogError) in
            try EntryLog.open(in: SimulatedDirectory(files: files), options: Self.options).entries()
        }
        let seen = Result<[Entry], LogError> { () throws(LogError) in
            try entries(SimulatedDirectory(files: files))
        }
        switch (opened, seen) {
        case (.success(let opened), .success(let seen)): #expect(opened == seen, "\(what)")
        case (.failure(.damaged(let path, let offset, _)), .failure(.damaged(let seenPath, let seenOffset, _))):
            // A segment that does not begin where the one before ended: either may be called wrong.
            #expect(path == seenPath && offset == seenOffset || seenOffset == 24, "\(what): \(seen), not \(opened)")
        default: Issue.record("\(what): looking found \(seen), opening \(opened)")
        }
    }

    @Test("torn tails and damage are told apart as at a node's start, for every flipped bit and every length")
    func damage() throws {
        let disk = SimulatedDirectory()
        let log = try EntryLog.create(in: disk, pairID: pairID, options: Self.options)
        try log.fill(10, size: 700)
        for count in [1, 3, 1, 2] {
            try log.append(frames(after: log.end, count: count, size: 20))
            _ = try log.sync()
        }
        #expect(log.segments.count == 3)
        let files = disk.files.mapValues(\.bytes)
        let last = try #require(log.segments.last)
        for segment in log.segments {
            let name = segment.name
            for bit in stride(from: 0, to: segment.end * 8, by: segment.first < last.first ? 197 : 7) {
                var changed = files
                changed[name]?[bit / 8] ^= 1 << (bit % 8)
                try expectSame(changed, "bit \(bit) of \(name)")
            }
        }
        for length in SegmentHeader.size...last.end {
            var changed = files
            changed[last.name]?.removeLast(Self.options.segmentSize - length)
            try expectSame(changed, "\(length) bytes of \(last.name)")
        }
    }

    @Test("a cut that a crash has interrupted counts as done")
    func interruptedCut() throws {
        for crash in 1...30 {
            let disk = SimulatedDirectory()
            let log = try EntryLog.create(in: disk, pairID: pairID, options: Self.options)
            try log.fill(60, size: 200)
            disk.crashAfter = disk.changes + crash
            do { try log.cut(to: LSN(20)) } catch {}
            try expectSame(disk.files.mapValues(\.bytes), "crash \(crash)")
        }
    }

    @Test("entries that were cut after they were read are told of, and not taken for damage")
    func cutMeanwhile() throws {
        for cut in [LSN(55), LSN(20)] {
            let disk = SimulatedDirectory()
            let log = try EntryLog.create(in: disk, pairID: pairID, options: Self.options)
            try log.fill(60, size: 200)
            let view = try LogView(of: disk)
            while view.next <= LSN(58), try view.read() != nil {}
            try log.cut(to: cut)
            try log.fill(50, epoch: 2, size: 150)
            do throws(LogError) {
                while try view.read() != nil {}
                Issue.record("the cut went unnoticed")
            } catch {
                // What was at hand already may be read yet.
                guard case .changed("disk", let position) = error, position.epoch == Epoch(1), position.lsn >= LSN(58)
                else {
                    Issue.record(error)
                    continue
                }
            }
            #expect(try entries(disk) == log.entries())
        }
    }

    @Test("a log that is written, cut and let go of meanwhile never looks damaged")
    func running() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "twinline-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.path
        _ = try EntryLog.create(
            in: PosixDirectory(path: path), pairID: pairID, options: EntryLog.Options(segmentSize: 1 << 16))
        let isDone = Mutex(false)
        let looks = Mutex(0)
        let trouble = Mutex<String?>(nil)
        let writer = Thread {
            do {
                let log = try EntryLog.open(
                    in: PosixDirectory(path: path), options: EntryLog.Options(segmentSize: 1 << 16))
                // Until it was looked at amid all of this, however seldom the other thread has its turn.
                for round in 1... {
                    if round > 300, looks.withLock({ $0 > 10 }) { break }
                    try log.append(frames(after: log.end, count: 40, epoch: UInt64(round), size: 50 * (round % 9)))
                    if round % 3 > 0 { _ = try log.sync() }
                    while try log.prepareNextSegment() {}
                    if round % 7 == 0 { try log.cut(to: LSN(log.last.lsn.value - 60)) }
                    if round % 50 == 0 { try log.release(before: LSN(log.last.lsn.value - 500)) }
                }
            } catch { trouble.withLock { $0 = "\(error)" } }
            isDone.withLock { $0 = true }
        }
        writer.start()
        while !isDone.withLock({ $0 }) {
            let view = try LogView(of: ReadOnlyDirectory(path: path))
            var before: EntryFrame?
            do throws(LogError) {
                while let frame = try view.read() {
                    if let before { #expect(frame.chainBefore == before.chain) }
                    before = frame
                }
            } catch {
                switch error {
                case .released, .changed: break
                default: throw error
                }
            }
            looks.withLock { $0 += 1 }
        }
        #expect(trouble.withLock { $0 } == nil)
    }
}
