import Arbitration
import DurableLog
import Engine
import Logging
import NIOCore
import NIOPosix
import Replication
import Store
import Transport
import Wire

/// Puts a node together: opened files into their threads, the core onto its event loop, connections to the core.
struct NodeStarter {
    private let settings: NodeSettings
    private let log: Logger
    private let group: MultiThreadedEventLoopGroup
    private let certificates: CertificateWatch
    private let toPeer: OpenConnections
    private let toWitness: OpenConnections

    /// Reads the certificate files, so that a node which waits to be formatted does not find them changing later.
    init(
        _ settings: NodeSettings, _ certificates: CertificateWatch, log: Logger, group: MultiThreadedEventLoopGroup
    ) throws(TransportError) {
        toPeer = try certificates.connections(.client, [.node])
        toWitness = try certificates.connections(.client, [.witness])
        self.certificates = certificates
        self.settings = settings
        self.log = log
        self.group = group
    }

    func start(_ opened: DataDirectory.Opened, in data: DataDirectory, _ door: SeatDoor) async throws -> RunningNode {
        let loop = door.core
        var random = SystemRandomNumberGenerator()
        let process = random.next()
        let replica = try makeReplica(opened, process)
        let tip = try opened.log.tip() ?? opened.origin
        let pair = opened.file.pairID
        let standing = Standing(epoch: replica.epoch, role: .starting)

        let coreBox = CoreBox()
        let report: @Sendable (WorkerEvent) -> Void = { event in
            loop.execute { coreBox.core?.value.handle(event) }
        }
        let seats = try await SeatLoops(door.loops, standing: standing) { seat, change in
            loop.execute { coreBox.core?.value.seatChanged(seat, change) }
        }
        let logThread = LogThread(settings.retention, report: report)
        let lists = ListThread { seats.deliver($0) }
        let writer = WriterThread(wallClock: wallClockNow, diskFull: { logThread.roomRefused() }) { event in
            report(event)
            if case .applied = event { lists.look() }
        }
        let threads = NodeThreads(
            log: logThread, writer: writer, reader: ReaderThread(lists: lists) { seats.deliver($0) }, lists: lists,
            snapshots: SnapshotKeeper(), on: loop)
        threads.start(opened, in: data, settings, core: coreBox, log: log, report)
        let verifier = Verifier(opened.database.path, threads.writer, log: log)

        let (settings, log, certificates) = (settings, log, certificates)
        let (toPeer, toWitness) = (toPeer, toWitness)
        let ended = loop.makePromise(of: NodeEnd.self)
        let core = try await loop.submit { () -> NIOLoopBound<Node> in
            let link = PeerLink(
                on: loop, to: settings.peer, dialer: Dialer(toPeer, connectTimeout: .milliseconds(500)),
                pair: pair, peer: settings.node.other, process: process, heartbeat: settings.timings.heartbeat,
                long: threads.long, log: log)
            let arbiter = Self.arbiter(settings, toWitness, pair, on: loop, log)
            let node = Node(
                on: loop, settings, certificates, pair: pair, link: link, arbiter: arbiter, seats: seats,
                snapshots: threads.snapshots, lists: lists, writer: threads.writer.activity, standing: standing,
                log: log, halted: { ended.succeed(NodeEnd($0, log)) })
            let bound = NIOLoopBound(node, eventLoop: loop)
            coreBox.core = bound
            node.start { shell in
                NodeEngine(
                    replica: replica, pair: pair, tip: tip, log: threads.log, database: threads.writer,
                    reader: threads.reader, shell: shell)
            }
            door.open(
                NodeService(core: bound, writer: threads.writer, verifier: verifier, pairID: pair), seats,
                NIOLoopBound(link, eventLoop: loop), threads.snapshots)
            return bound
        }.get()
        return RunningNode(core: core, box: coreBox, threads: threads, ended: ended)
    }

    private static func arbiter(
        _ settings: NodeSettings, _ connections: OpenConnections, _ pair: RandomID, on loop: any EventLoop,
        _ log: Logger
    ) -> WitnessClient {
        var quiet = ConnectionOptions()
        quiet.isKeptAlive = true
        return WitnessClient(
            on: loop, at: settings.witness,
            dialer: Dialer(connections, options: quiet, connectTimeout: .milliseconds(500)), pair: pair, log: log)
    }

    /// For a node that waits for a copy.
    /// - Returns: what ends it. Nil: a wiped disk has nothing to tell.
    func testify(from file: NodeFile, on loop: any EventLoop) async throws -> (@Sendable () -> Void)? {
        guard file.pairID != .zero else { return nil }
        var random = SystemRandomNumberGenerator()
        let testifier = Testifier(settings.node, file.record, process: random.next())
        let (settings, toWitness, log) = (settings, toWitness, log)
        let driver = try await loop.submit { () -> NIOLoopBound<TestifierDriver> in
            let arbiter = Self.arbiter(settings, toWitness, file.pairID, on: loop, log)
            let driver = TestifierDriver(testifier, on: loop, through: arbiter)
            driver.start()
            return NIOLoopBound(driver, eventLoop: loop)
        }.get()
        return { loop.execute { driver.value.end() } }
    }

    private func makeReplica(_ opened: DataDirectory.Opened, _ process: UInt64) throws -> Replica {
        var random = SystemRandomNumberGenerator()
        return try Replica(
            settings.node, record: opened.file.record, log: opened.log, applied: opened.database.applied.lsn,
            process: process, spareDisk: RandomID(high: random.next(), low: random.next()), now: monotonicNow(),
            timings: settings.timings)
    }
}
