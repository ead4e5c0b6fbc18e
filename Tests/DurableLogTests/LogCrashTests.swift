import Replication
import TestSupport
import Testing
import Wire

@testable import DurableLog

/// A power cut before every single change of the disk, with the unsynced sectors kept or lost at random.
struct LogCrashTests {
    private static let options = EntryLog.Options(segmentSize: 16384)

    /// What the log has promised so far.
    private struct Promises {
        /// The entries of the log, as far as they were ever handed to it.
        var written: [Entry] = []
        var synced = 0
        /// What a cut that has begun may still bring back, or not.
        var beforeCut: [Entry]?
        var released = 0

        func check(_ log: EntryLog, seed: UInt64, at step: Int) throws {
            let found = try log.entries()
            let first = Int(log.first.value)
            let end = Int(log.last.lsn.value)
            #expect(end == first - 1 + found.count, "seed \(seed), step \(step)")
            func holds(_ entries: [Entry]) -> Bool {
                // A log that ever had a synced entry has one after any crash: its end alone doesn't tell its digest.
                if found.isEmpty { return synced == 0 }
                return end <= entries.count && entries[(first - 1)..<end] == found[...]
            }
            let isKnown = holds(written) || holds(beforeCut ?? [])
            #expect(first <= released + 1, "seed \(seed), step \(step)")
            #expect(end >= synced, "seed \(seed), step \(step)")
            #expect(isKnown, "seed \(seed), step \(step)")
        }
    }

    /// A life with rolls, cuts over several segments, releases and spares. Throws where the disk crashes.
    private func live(on disk: SimulatedDirectory, _ promises: inout Promises, seed: UInt64) throws {
        var random = SeededRandom(seed)
        let log = try EntryLog.create(in: disk, pairID: pairID, options: Self.options)
        var epoch: UInt64 = 1
        for _ in 0..<25 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                // What was released is in the database, and no cut goes below that (rule R10).
                let kept = log.first == LSN(1) ? 0 : log.first.value
                let dropped = UInt64.random(in: 0...min(40, log.last.lsn.value - kept), using: &random)
                let target = log.last.lsn.value - dropped
                promises.beforeCut = promises.written
                promises.written.removeLast(Int(dropped))
                promises.synced = min(promises.synced, Int(target))
                try log.cut(to: LSN(target))
                promises.beforeCut = nil
                epoch += 1
            case 1:
                let kept = UInt64.random(in: 0...min(30, log.last.lsn.value), using: &random)
                let before = log.last.lsn.value - kept
                promises.released = max(promises.released, Int(before))
                try log.release(before: LSN(before))
            case 2: _ = try log.prepareNextSegment()
            case 3, 4:
                _ = try log.sync()
                promises.synced = promises.written.count
            default:
                let batch = frames(
                    after: log.end, count: .random(in: 1...12, using: &random), epoch: epoch,
                    size: .random(in: 0...900, using: &random))
                promises.written += batch.map(\.entry)
                try log.append(batch)
            }
        }
    }

    @Test("after a power cut at any moment the log opens with what was synced and invents nothing", arguments: 1...8)
    func crashes(seed: UInt64) throws {
        for step in 0..<1000 {
            let disk = SimulatedDirectory()
            disk.crashAfter = step
            var promises = Promises()
            do {
                try live(on: disk, &promises, seed: seed)
            } catch {
                guard disk.hasCrashed else { throw error }
            }
            try recover(disk, promises, seed: seed, step: step)
            if !disk.hasCrashed { return #expect(step > 40) }
        }
    }

    private func recover(_ disk: SimulatedDirectory, _ promises: Promises, seed: UInt64, step: Int) throws {
        var random = SeededRandom(seed << 32 | UInt64(step))
        var remains = disk.afterCrash(&random)
        guard remains.files.keys.contains(where: { $0.hasSuffix(".segment") }) else {
            // It crashed before there was a log.
            return #expect(promises.written.isEmpty)
        }
        var known = promises
        // The first recoveries crash, too.
        for _ in 0..<3 {
            remains.crashAfter = .random(in: 0...8, using: &random)
            do {
                let log = try EntryLog.open(in: remains, options: Self.options)
                try known.check(log, seed: seed, at: step)
                known.synced = Int(log.last.lsn.value)
            } catch {
                guard remains.hasCrashed else { throw error }
            }
            remains = remains.afterCrash(&random)
        }
        let log = try EntryLog.open(in: remains, options: Self.options)
        let entries = try log.entries()
        try known.check(log, seed: seed, at: step)
        // An unsynced end that was cut does not come back behind new entries.
        try log.fill(3, epoch: 50)
        let reopened = try EntryLog.open(in: remains.afterCrash(&random), options: Self.options)
        #expect(try reopened.entries().dropLast(3) == entries[...])
    }

    @Test("a cut that is interrupted at any moment has not begun, or is finished when the log is opened")
    func interruptedCut() throws {
        for seed in 0..<20 as Range<UInt64> {
            var random = SeededRandom(seed)
            for step in 0..<20 {
                let disk = SimulatedDirectory()
                let log = try EntryLog.create(in: disk, pairID: pairID, options: Self.options)
                try log.fill(50, size: 300)
                let entries = try log.entries()
                disk.crashAfter = disk.changes + step
                try? log.cut(to: LSN(5))
                var remains = disk.afterCrash(&random)
                remains.crashAfter = .random(in: 0...12, using: &random)
                _ = try? EntryLog.open(in: remains, options: Self.options)
                remains = remains.afterCrash(&random)
                let opened = try EntryLog.open(in: remains, options: Self.options)
                #expect([5, 50].contains(opened.last.lsn.value), "seed \(seed), step \(step)")
                #expect(try opened.entries() == entries.prefix(Int(opened.last.lsn.value)).map { $0 })
                if !disk.hasCrashed { #expect(opened.last.lsn == LSN(5)) }
            }
        }
    }

    @Test("whole entries behind a torn one do not come back when the torn one is appended again")
    func tornTailStaysCut() throws {
        let disk = SimulatedDirectory()
        let log = try EntryLog.create(in: disk, pairID: pairID, options: Self.options)
        let lost = frames(count: 3)
        try log.append(lost)
        var files = disk.files.mapValues(\.bytes)
        files[SegmentHeader.name(LSN(1))]?[SegmentHeader.size + 100] ^= 1
        let torn = SimulatedDirectory(files: files)
        let reopened = try EntryLog.open(in: torn, options: Self.options)
        #expect(reopened.last == .zero)
        try reopened.append([lost[0]])
        #expect(try EntryLog.open(in: torn.afterKill(), options: Self.options).last.lsn == LSN(1))
    }

    @Test("a killed process loses nothing that it had appended")
    func kill() throws {
        let disk = SimulatedDirectory()
        let log = try EntryLog.create(in: disk, pairID: pairID, options: Self.options)
        try log.append(frames(count: 50))
        #expect(try EntryLog.open(in: disk.afterKill(), options: Self.options).last.lsn == LSN(50))
    }
}
