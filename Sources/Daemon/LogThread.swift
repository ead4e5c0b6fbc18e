import DurableLog
import Engine
import Glibc
import Replication
import Synchronization
import Wire

/// The log's thread: appends what has gathered, syncs once for all of it, and keeps the node's record beside it, so
/// that a node whose disk is stuck can't claim.
final class LogThread: LogWorker, Sendable {
    private enum Order: Sendable {
        case append([EntryFrame])
        case cut(LSN)
        case read(LSN, maxBytes: Int, ReadPurpose)
        case save(NodeRecord)
        case release(before: LSN, possible: LSN)
        case measure
        case refused
        case link(LSN, @Sendable (UInt64?) -> Void)
        case stop
    }

    private let orders = Mailbox<Order>()
    private let isStopping = Atomic(false)
    private let retention: Retention
    private let report: @Sendable (WorkerEvent) -> Void

    init(_ retention: Retention, report: @escaping @Sendable (WorkerEvent) -> Void) {
        (self.retention, self.report) = (retention, report)
    }

    func append(_ frames: [EntryFrame]) { orders.post(.append(frames)) }
    func cut(to lsn: LSN) { orders.post(.cut(lsn)) }
    func read(from lsn: LSN, maxBytes: Int, for purpose: ReadPurpose) {
        orders.post(.read(lsn, maxBytes: maxBytes, purpose))
    }
    func save(_ record: NodeRecord) { orders.post(.save(record)) }
    func release(before needed: LSN, possible: LSN) { orders.post(.release(before: needed, possible: possible)) }
    func measureRoom() { orders.post(.measure) }
    /// Somebody else was refused by the disk.
    func roomRefused() { orders.post(.refused) }
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        orders.post(.stop)
    }

    /// The chain value at an LSN, given on this thread; nil if the log does not hold it.
    func link(at lsn: LSN, _ give: @escaping @Sendable (UInt64?) -> Void) { orders.post(.link(lsn, give)) }

    /// Runs on the thread that opened the log, until stopped.
    /// - Parameter origin: the log's end for as long as it holds no entry.
    func run(_ log: EntryLog, _ origin: LogTip, _ file: NodeFile, _ recordFile: DurableRecord) {
        log.worked = { self.report(.logWorked) }
        var room = Room(path: log.path, segmentSize: log.segmentSize)
        do throws(LogError) {
            while try carryOut(orders.takeAll(), log, origin, file, recordFile, &room) {
                try prepare(log, &room)
            }
        } catch {
            report(.failed(WorkerFailure(error)))
        }
    }

    private func carryOut(
        _ orders: [Order], _ log: EntryLog, _ origin: LogTip, _ file: NodeFile, _ recordFile: DurableRecord,
        _ room: inout Room
    ) throws(LogError) -> Bool {
        var unsynced = false
        for order in orders {
            if case .append(let frames) = order {
                guard try append(frames, log, &room) else { return false }
                unsynced = true
                continue
            }
            if unsynced { report(.logSynced(through: try log.sync())) }
            unsynced = false
            switch order {
            case .append: break
            case .cut(let lsn):
                try log.cut(to: lsn)
                report(.logCut(to: lsn, tip: try log.tip() ?? origin))
            case .read(let lsn, let maxBytes, let purpose):
                report(.entriesRead(try entries(from: lsn, maxBytes, log), for: purpose))
            case .save(let record):
                var file = file
                file.record = record
                try recordFile.save(file.bytes)
                report(.recordSaved(record))
            case .measure: room.look { report(.roomChanged($0)) }
            case .refused: room.refuse { report(.roomChanged($0)) }
            case .release(let needed, let possible): try release(before: needed, possible, log)
            case .link(let lsn, let give): give(try log.chain(at: lsn))
            case .stop: return false
            }
        }
        if unsynced { report(.logSynced(through: try log.sync())) }
        return true
    }
}

extension LogThread {
    /// Waits for room when there is none, as for a disk that is stuck: what isn't synced is not acknowledged, so a
    /// primary hands over and a standby is dropped meanwhile, and all that was ordered later comes later.
    /// - Returns: false: to be stopped while it waits.
    private func append(_ frames: [EntryFrame], _ log: EntryLog, _ room: inout Room) throws(LogError) -> Bool {
        var frames = frames
        while true {
            do throws(LogError) {
                try log.append(frames)
                return true
            } catch .full {
                room.refuse { report(.roomChanged($0)) }
                frames.removeAll { $0.position.lsn <= log.last.lsn }
                // The order itself may have been taken together with this one.
                guard !isStopping.load(ordering: .relaxed) else { return false }
                usleep(Self.retry)
            }
        }
    }

    /// Microseconds between two attempts on a full disk.
    private static var retry: UInt32 { 50_000 }

    /// As long as nobody asks for anything.
    private func prepare(_ log: EntryLog, _ room: inout Room) throws(LogError) {
        do throws(LogError) {
            while orders.isEmpty, room.isEnough, try log.prepareNextSegment() {}
        } catch .full {
            room.refuse { report(.roomChanged($0)) }
        }
    }

    /// None, when they were let go of after somebody had asked for them: `.logReleased` has said so by then.
    private func entries(from lsn: LSN, _ maxBytes: Int, _ log: EntryLog) throws(LogError) -> [EntryFrame] {
        lsn < log.first ? [] : try log.read(from: lsn, maxBytes: maxBytes)
    }

    private func release(before needed: LSN, _ possible: LSN, _ log: EntryLog) throws(LogError) {
        let first = log.first
        let moment = wallClockNow() / 1000 - Int64(retention.keep)
        try log.release(before: needed, olderThan: moment, orAbove: retention.limit)
        if log.size > retention.limit {
            try log.release(before: possible, olderThan: .min, orAbove: retention.limit)
        }
        if log.first > first { report(.logReleased(first: log.first)) }
    }
}
