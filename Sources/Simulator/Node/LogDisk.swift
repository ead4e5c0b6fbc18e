import DurableLog
import Engine
import Replication
import Wire

/// The log's worker: the daemon's log thread on simulated time. What is appended is written at once, and synced when
/// the disk has taken its time; whatever comes meanwhile waits.
final class LogDisk: LogWorker {
    private enum Order {
        case append([EntryFrame]), cut(LSN), read(LSN, Int, ReadPurpose), save(NodeRecord)
        case release(LSN, LSN), link(LSN, (UInt64?) -> Void)
    }

    unowned let process: NodeProcess
    let log: EntryLog
    private let origin: LogTip
    private let file: NodeFile
    private let recordFile: DurableRecord
    private var orders: [Order] = []
    private var isBusy = false
    private var hasRoom = true
    /// Every sync until then takes this long.
    var slow: (until: UInt64, nanoseconds: UInt64) = (0, 0)
    /// What was written and not yet synced.
    private var written: [Position] = []
    private(set) var saved: NodeRecord

    init(_ process: NodeProcess, _ opened: NodeFiles.Opened) {
        self.process = process
        (log, origin, file, recordFile) = (opened.log, opened.origin, opened.file, opened.recordFile)
        saved = opened.file.record
    }

    /// What this disk holds for certain, as this node's log.
    private var durable: EpochTable {
        get { process.world.ledger.durable[process.name] }
        set { process.world.ledger.durable[process.name] = newValue }
    }

    func append(_ frames: [EntryFrame]) {
        process.world.ledger.appended(frames, by: process)
        post(.append(frames))
    }
    func cut(to lsn: LSN) { post(.cut(lsn)) }
    func read(from lsn: LSN, maxBytes: Int, for purpose: ReadPurpose) { post(.read(lsn, maxBytes, purpose)) }
    func save(_ record: NodeRecord) { post(.save(record)) }
    func release(before needed: LSN, possible: LSN) { post(.release(needed, possible)) }
    func link(at lsn: LSN, _ give: @escaping (UInt64?) -> Void) { post(.link(lsn, give)) }

    func measureRoom() {
        let free = process.node.disk.freeBytes
        let reserve = 2 * log.segmentSize + 64 << 10
        let hasRoom = free >= (self.hasRoom ? reserve : 2 * reserve)
        guard hasRoom != self.hasRoom else { return }
        self.hasRoom = hasRoom
        process.report(.roomChanged(hasRoom))
    }

    func roomRefused() {
        guard hasRoom else { return }
        hasRoom = false
        process.report(.roomChanged(false))
    }

    private func post(_ order: Order) {
        guard process.hasEffect() else { return }
        orders.append(order)
        if !isBusy { begin() }
    }

    private var latency: UInt64 {
        let world = process.world
        return slow.until > world.now ? slow.nanoseconds : world.random.draw(world.profile.disk)
    }

    /// Takes what waits: all appends that come together, or one other thing.
    private func begin() {
        guard let first = orders.first, process.isAlive else { return }
        isBusy = true
        guard case .append = first else {
            orders.removeFirst()
            return process.work(nanoseconds: latency) {
                self.finish { () throws(LogError) in try self.carryOut(first) }
            }
        }
        var frames: [EntryFrame] = []
        while case .append(let more) = orders.first {
            frames += more
            orders.removeFirst()
        }
        write(frames)
    }

    private func write(_ frames: [EntryFrame]) {
        do throws(LogError) {
            try log.append(frames)
        } catch .full {
            roomRefused()
            // Those that found room are written.
            let rest = frames.filter { $0.position.lsn > log.last.lsn }
            written += frames.dropLast(rest.count).map(\.position)
            return process.after(milliseconds: 50) { self.write(rest) }
        } catch { return failed(error) }
        written += frames.map(\.position)
        process.work(nanoseconds: latency) {
            self.finish { () throws(LogError) in
                let synced = try self.log.sync()
                for position in self.written { self.durable.append(position) }
                self.written = []
                self.process.report(.logSynced(through: synced))
            }
        }
    }

    private func finish(_ work: () throws(LogError) -> Void) {
        do throws(LogError) { try work() } catch { return failed(error) }
        isBusy = false
        if orders.isEmpty {
            do throws(LogError) { _ = try log.prepareNextSegment() } catch .full { roomRefused() } catch {
                return failed(error)
            }
        }
        begin()
    }

    private func failed(_ error: LogError) {
        if !process.node.disk.hasCrashed { process.report(.failed(WorkerFailure(error))) }
        process.endIfCrashed()
    }

    private func carryOut(_ order: Order) throws(LogError) {
        switch order {
        case .append: break
        case .cut(let lsn):
            try log.cut(to: lsn)
            durable.cut(to: lsn)
            process.report(.logCut(to: lsn, tip: try log.tip() ?? origin))
        case .read(let lsn, let maxBytes, let purpose):
            let frames = lsn < log.first ? [] : try log.read(from: lsn, maxBytes: maxBytes)
            process.report(.entriesRead(frames, for: purpose))
        case .save(let record):
            var file = file
            file.record = record
            try recordFile.save(file.bytes)
            process.world.ledger.saved(record, over: saved, by: process)
            saved = record
            process.report(.recordSaved(record))
        case .release(let needed, let possible): try release(before: needed, possible)
        case .link(let lsn, let give): give(try log.chain(at: lsn))
        }
    }

    private func release(before needed: LSN, _ possible: LSN) throws(LogError) {
        let first = log.first
        try log.release(before: needed)
        if log.size > process.world.profile.retention {
            try log.release(before: possible, olderThan: .min, orAbove: process.world.profile.retention)
        }
        guard log.first > first else { return }
        durable.release(through: LSN(log.first.value - 1))
        process.report(.logReleased(first: log.first))
    }
}
