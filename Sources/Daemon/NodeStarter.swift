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
    private let ended: EventLoopPromise<ExitCode>
    private let certificates: CertificateWatch
    private let toPeer: OpenConnections
    private let toWitness: OpenConnections

    /// Reads the certificate files, so that a node which waits to be formatted does not find them changing later.
    init(
        _ settings: NodeSettings, _ certificates: CertificateWatch, log: Logger, group: MultiThreadedEventLoopGroup,
        ended: EventLoopPromise<ExitCode>
    ) throws(TransportError) {
        toPeer = try certificates.connections(.client, [.node])
        toWitness = try certificates.connections(.client, [.witness])
        self.certificates = certificates
        self.settings = settings
        self.log = log
        self.group = group
        self.ended = ended
    }

    func start(
        _ opened: DataDirectory.Opened, _ door: SeatDoor
    ) async throws -> NIOLoopBound<Node> {
        let loop = door.core
        let replica = try makeReplica(opened)
        let tip = try opened.log.tip()
        let pair = opened.file.pairID
        let standing = Standing(epoch: replica.epoch, role: .starting)

        let coreBox = CoreBox()
        let report: @Sendable (WorkerEvent) -> Void = { event in
            loop.execute { coreBox.core?.value.handle(event) }
        }
        let seats = try await SeatLoops(door.loops, standing: standing) { change in
            loop.execute { coreBox.core?.value.seatCountChanged(by: change) }
        }
        let logThread = LogThread(settings.retention, report: report)
        let writer = WriterThread(wallClock: wallClockNow, report: report)
        let readerThread = ReaderThread { seats.deliver($0) }
        let verifier = Verifier(opened.database.path, writer, log: log)
        startThreads(opened, logThread, writer, readerThread, report)

        let (settings, log, ended, certificates) = (settings, log, ended, certificates)
        let (toPeer, toWitness) = (toPeer, toWitness)
        let core = try await loop.submit { () -> NIOLoopBound<Node> in
            let link = PeerLink(
                on: loop, to: settings.peer, dialer: Dialer(toPeer, connectTimeout: .milliseconds(500)),
                pair: pair, peer: settings.node.other, heartbeat: settings.timings.heartbeat, log: log)
            let arbiter = WitnessClient(
                on: loop, at: settings.witness,
                dialer: Dialer(toWitness, connectTimeout: .milliseconds(500)), pair: pair, log: log)
            let node = Node(
                on: loop, settings, certificates, pair: pair, link: link, arbiter: arbiter, seats: seats,
                standing: standing, log: log, halted: { ended.succeed(Self.exitCode($0, log)) })
            let bound = NIOLoopBound(node, eventLoop: loop)
            coreBox.core = bound
            node.start { shell in
                NodeEngine(
                    replica: replica, pair: pair, tip: tip, log: logThread, database: writer, reader: readerThread,
                    shell: shell)
            }
            door.open(
                NodeService(core: bound, writer: writer, verifier: verifier, pairID: pair), seats,
                NIOLoopBound(link, eventLoop: loop))
            return bound
        }.get()
        return core
    }

    private func makeReplica(_ opened: DataDirectory.Opened) throws -> Replica {
        var random = SystemRandomNumberGenerator()
        let base = try opened.log.position(at: LSN(opened.log.first.value - 1)) ?? .zero
        return Replica(
            name: settings.node, record: opened.file.record,
            log: EpochTable(base: base, starts: opened.log.epochStarts(), last: opened.log.last),
            applied: opened.database.applied.lsn, process: random.next(),
            spareDisk: RandomID(high: random.next(), low: random.next()), now: monotonicNow(),
            timings: settings.timings)
    }

    private func startThreads(
        _ opened: DataDirectory.Opened, _ log: LogThread, _ writer: WriterThread,
        _ readerThread: ReaderThread, _ report: @escaping @Sendable (WorkerEvent) -> Void
    ) {
        // Each of these objects is handed to one thread here, for good.
        let logFiles = Handover((opened.log, opened.file, opened.recordFile))
        let database = Handover(opened.database)
        let readerBox = Handover(opened.reader)
        startThread("log") { log.run(logFiles.value.0, logFiles.value.1, logFiles.value.2) }
        startThread("writer") { writer.run(database.value) }
        startThread("reader") { readerThread.run(readerBox.value) { report(.failed($0)) } }
    }

    private static func exitCode(_ reason: HaltReason, _ log: Logger) -> ExitCode {
        switch reason {
        case .violation(.cutBelowApplied(let common, let applied)):
            log.critical(
                "rejoining would undo what this node has answered; set its data aside and reseed it",
                metadata: ["common": "\(common)", "applied": "\(applied)"])
            return .promiseBroken
        case .violation(let violation):
            log.critical(
                "the pair broke a promise; look at both nodes' logs before starting either",
                metadata: ["violation": "\(violation)"])
            return .promiseBroken
        case .chainDiffers(let position):
            log.critical(
                "the two logs differ below a position that both hold; reseed one node",
                metadata: ["position": "\(position)"])
            return .promiseBroken
        case .worker(let failure):
            switch failure {
            case .syncFailed(let text): log.critical("\(text)"); return .syncFailed
            case .damaged(let text): log.critical("\(text)"); return .damaged
            case .copiesDiffer(let text): log.critical("\(text)"); return .promiseBroken
            case .diskFull(let text): log.critical("\(text)"); return .temporary
            case .failed(let text): log.critical("\(text)"); return .unexpected
            }
        }
    }
}

/// Where worker threads find the core once it exists. `@unchecked Sendable`: written and read on the core's event loop
/// only, and what is reported before it exists is of nobody's interest.
final class CoreBox: @unchecked Sendable {
    var core: NIOLoopBound<Node>?
}

/// An object on its way to the one thread that will own it. `@unchecked Sendable`: whoever makes one gives up the
/// object, and exactly one thread takes it.
private struct Handover<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
