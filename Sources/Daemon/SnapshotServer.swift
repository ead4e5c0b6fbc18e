import DurableLog
import Glibc
import Logging
import Replication
import Store
import Wire

/// The snapshot's thread and all that it knows. One step at a time, and between two steps it hears what is new, so that
/// it ends within milliseconds when it is to.
final class SnapshotServer {
    /// What it asks of the rest of the node; the answers come back as orders.
    struct Surroundings: Sendable {
        /// The log is kept from what is applied now: `.ground`.
        var ground: @Sendable () -> Void
        /// The log's chain value there: `.linked`.
        var link: @Sendable (LSN) -> Void
        /// The log is kept from there on; nil: it need not be.
        var pin: @Sendable (LSN?) -> Void
    }

    /// A snapshot that nobody has asked for during so many milliseconds is given up.
    static let keepFor: UInt64 = 3_600_000
    /// Copied in one step: a few milliseconds.
    static let stepSize = 1 << 20
    /// A file that is synced seldom makes the log beside it wait long.
    static let syncEvery = 8 << 20

    enum Stage {
        case nothing
        /// Waits for the log to be pinned.
        case pinning
        case copying(SnapshotFile, unsynced: Int)
        case summing(Made, offset: Int, sum: UInt32)
        /// Waits for the log's chain value.
        case linking(Made, sum: UInt32)
        case ready(CopyOffer, any DiskFile)
    }

    struct Made {
        var contents: SnapshotFile.Contents
        var size: Int
    }

    let keeper: SnapshotKeeper
    let settings: NodeSettings
    let pair: RandomID
    let database: String
    let directory: PosixDirectory
    let around: Surroundings
    let log: Logger
    var stage = Stage.nothing
    var ground: SnapshotGround?
    /// Who waits for the offer.
    var waiting: CopyAsker?
    var id = RandomID.zero
    /// Something of this snapshot has been sent.
    private var wasFetched = false
    var file: (any DiskFile)?
    private var pace: Pace
    private var askedAt = monotonicNow()
    var saidAt = monotonicNow()
    var course = Course()

    init(
        _ keeper: SnapshotKeeper, _ settings: NodeSettings, pair: RandomID, database: String,
        in directory: PosixDirectory, _ around: Surroundings, log: Logger
    ) {
        (self.keeper, self.settings, self.pair, self.database) = (keeper, settings, pair, database)
        (self.directory, self.around, self.log) = (directory, around, log)
        pace = Pace(bytesPerSecond: settings.reseedRate)
    }

    func run() {
        // Behind whatever answers seats: to Linux, 0 is the calling thread.
        setpriority(Int32(PRIO_PROCESS.rawValue), 0, 10)
        while true {
            for order in isBusy ? keeper.orders.takeWaiting() : keeper.orders.takeAll() {
                if case .stop = order { return drop() }
                hear(order)
            }
            advance()
        }
    }

    private var isBusy: Bool {
        switch stage {
        case .copying, .summing: true
        case .nothing, .pinning, .linking, .ready: false
        }
    }

    var name: String { "outgoing-\(id).sqlite" }

    // MARK: orders

    private func hear(_ order: SnapshotKeeper.Order) {
        switch order {
        case .want(let wanted, let snapshot, let asker): want(wanted, snapshot, asker)
        case .fetch(let snapshot, let offset, let length, let asker): send(snapshot, offset, length, asker)
        case .ground(let ground): begin(ground)
        case .linked(let chain): linked(chain)
        case .look(let leads, let level): look(leads, level)
        case .stop: break
        }
    }

    private func want(_ wanted: RandomID?, _ snapshot: RandomID?, _ asker: CopyAsker) {
        askedAt = monotonicNow()
        if let wanted, wanted != pair {
            return asker.answer(.notNow(.otherPair, "this node's pair is \(pair)", againAfter: 10_000))
        }
        switch stage {
        case .ready(let offer, _) where snapshot == id || !wasFetched:
            if wasFetched { log.notice("the other node goes on fetching", metadata: ["snapshot": "\(id)"]) }
            return asker.answer(.offer(offer))
        // It begins from the first byte again, and better with what is newer.
        case .ready: drop()
        case .nothing, .pinning, .copying, .summing, .linking: break
        }
        waiting = asker
        guard case .nothing = stage else { return }
        stage = .pinning
        around.ground()
    }

    private func send(_ snapshot: RandomID, _ offset: UInt64, _ length: Int, _ asker: CopyAsker) {
        guard case .ready(let offer, let file) = stage, offer.snapshot == snapshot else {
            return asker.answer(.notNow(.gone, "that snapshot is no longer here", againAfter: 0))
        }
        guard offset < offer.size else { return asker.channel.close(promise: nil) }
        askedAt = monotonicNow()
        wasFetched = true
        let count = min(length, Int(offer.size - offset))
        do throws(LogError) {
            var bytes = [UInt8](repeating: 0, count: count)
            let found = bytes.withUnsafeMutableBytes { bytes in
                Result { () throws(LogError) in try file.read(into: bytes, at: Int(offset)) }
            }
            guard try found.get() == count else {
                throw .damaged(path: file.path, offset: Int(offset), reason: "it has shrunk")
            }
            asker.answer(.chunk(offset: offset, bytes))
        } catch { return fail("\(error)", to: asker) }
        report(offset + UInt64(count), of: offer.size, "sending a copy to the other node")
        pace.spend(count)
    }

    private func look(_ leads: Bool, _ level: Bool) {
        if !leads {
            waiting?.answer(.notNow(.notLeading, "this node no longer leads", againAfter: 1000))
            return drop()
        }
        let late = monotonicNow() >= askedAt.advanced(byMilliseconds: Self.keepFor)
        guard case .ready = stage, level || late else { return }
        log.notice("the snapshot is removed", metadata: ["because": level ? "the standby is level" : "nobody asks"])
        drop()
    }

    // MARK: ending it

    func report(_ done: UInt64, of total: UInt64, _ what: Logger.Message) {
        keeper.sent.withLock { $0 = (done, total) }
        guard let (percent, rate, left) = course.report(done, of: total) else { return }
        log.info(what, metadata: ["done": "\(percent)", "rate": "\(rate)", "left": "\(left)"])
    }

    func fail(_ text: String, _ reason: CopyReply.Reason = .failed, to asker: CopyAsker?) {
        log.error("no copy for the other node", metadata: ["because": "\(text)"])
        asker?.answer(.notNow(reason, text, againAfter: 5000))
        drop()
    }

    func drop() {
        if case .nothing = stage { return }
        // Ends the snapshot's transaction first.
        stage = .nothing
        (waiting, file, ground, wasFetched) = (nil, nil, nil, false)
        for suffix in ["", "-journal", "-wal", "-shm"] { unlink(directory.path + "/" + name + suffix) }
        keeper.sent.withLock { $0 = nil }
        around.pin(nil)
    }
}
