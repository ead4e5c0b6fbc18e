import Arbitration
import Engine
import Logging
import NIOCore
import Planted
import Replication
import Transport
import Wire

/// One node's core: the engine between its links. Lives on one event loop, which never waits for disk or SQL.
final class Node: NodeShell, PeerLinkDelegate, ArbiterDelegate {
    let loop: any EventLoop
    let log: Logger
    let settings: NodeSettings
    let certificates: CertificateWatch
    let pair: RandomID
    private let link: PeerLink
    let arbiter: any Arbiter
    let seats: SeatLoops
    let snapshots: SnapshotKeeper
    private let lists: ListThread
    private let halted: (HaltReason) -> Void
    /// Set right after `init`, since the engine needs its shell.
    var engine: NodeEngine?
    var seatReach = SeatReach<Identity>()
    /// Why the witness was lost; empty once it has answered again.
    private var witnessLoss = ""
    var standing: Standing
    private var stopping: (() -> Void)?
    var began: Instant
    private var tasks: [RepeatedTask] = []
    private let waker: CoreWaker?
    private var workSeen: UInt64 = 0
    private var writerWatch: StuckWatch
    var delays: Delays

    /// - Parameter halted: the node can't go on; the process must end.
    init(
        on loop: any EventLoop, _ settings: NodeSettings, _ certificates: CertificateWatch, pair: RandomID,
        link: PeerLink, arbiter: any Arbiter, seats: SeatLoops, snapshots: SnapshotKeeper, lists: ListThread,
        writer: Activity, standing: Standing, log: Logger, halted: @escaping (HaltReason) -> Void
    ) {
        self.loop = loop
        self.settings = settings
        self.certificates = certificates
        self.pair = pair
        self.link = link
        self.arbiter = arbiter
        self.seats = seats
        self.snapshots = snapshots
        self.lists = lists
        self.standing = standing
        self.log = log
        self.halted = halted
        began = monotonicNow()
        writerWatch = StuckWatch(writer, patience: settings.timings.stallAfter)
        delays = Delays(heartbeat: settings.timings.heartbeat)
        waker = settings.wakeful ? CoreWaker(log: log) : nil
        link.delegate = self
        arbiter.delegate = self
    }

    func start(_ makeEngine: (any NodeShell) -> NodeEngine) {
        engine = makeEngine(self)
        link.start()
        arbiter.start()
        let bound = NIOLoopBound(self, eventLoop: loop)
        let heartbeat = TimeAmount.milliseconds(Int64(settings.timings.heartbeat))
        tasks = [
            loop.scheduleRepeatedTask(initialDelay: .zero, delay: heartbeat) { _ in
                bound.value.beat()
                bound.value.continueStopping()
            },
            loop.scheduleRepeatedTask(initialDelay: .zero, delay: .seconds(1)) { _ in
                bound.value.engine?.measureRoom()
                bound.value.lookForWork()
                bound.value.lookAtSnapshot()
                bound.value.seatReach.forget(at: bound.value.now)
                bound.value.handOverBeforeExpiry()
                bound.value.lists.look()
            },
        ]
    }

    private func beat() {
        delays.beat(at: now)
        let isStuck = writerWatch.isStuck(at: now) && !planted("neverCallTheDatabaseStuck")
        if let engine, engine.replica.databaseStuck != isStuck {
            log.critical(
                "\(isStuck ? "the database does not move: look at its disk" : "the database moves again")",
                metadata: ["data": "\(settings.data)"])
            engine.databaseStuck(isStuck)
        }
        engine?.tick()
    }

    private func lookForWork() {
        guard let waker, let work = engine?.work else { return }
        waker.look(hasWorked: work != workSeen)
        workSeen = work
    }

    /// Nobody hears of it any more, and it hears of nobody.
    func close() {
        for task in tasks { task.cancel() }
        tasks = []
        engine = nil
        link.close()
        arbiter.close()
        seats.close()
    }

    // MARK: facts

    func handle(_ event: WorkerEvent) { engine?.handle(event) }
    func read(_ requests: [PendingRead]) { engine?.read(requests) }

    func sawEpoch(_ epoch: Epoch) { engine?.newerEpochHeard(epoch) }

    func peerConnected() {
        log.info("the other node is there")
        engine?.peerConnected()
    }

    func peerDisconnected(dismissed: Bool) { engine?.peerDisconnected(dismissed: dismissed) }
    func peerRefused() { engine?.peerRefused() }
    func peerRouteChanged() { engine?.peerRouteChanged() }
    func peerSaid(_ envelope: PeerEnvelope) {
        delays.received(envelope.message.body, at: now)
        if case .stranded = envelope.message.body { return weigh(envelope) }
        engine?.receive(envelope)
    }
    func peerWorked() { engine?.worked() }

    var hello: PeerEnvelope {
        PeerEnvelope(engine?.replica.hello ?? Message(.zero, .none, .stale), pair: pair)
    }

    func arbiterConnected(_ id: RandomID) {
        if let expected = engine?.replica.record.witness.id, expected != id {
            log.error(
                "another witness answers, not the pair's own; if that is lost for good: twinline witness adopt",
                metadata: ["expected": "\(expected)", "found": "\(id)"])
        } else if witnessLoss.isEmpty {
            log.info("the witness is there")
        }
        engine?.witnessConnected(id)
    }

    func arbiterDisconnected(because reason: String) {
        // One that lets this node in only to send it away is said once.
        if reason != witnessLoss { log.warning("lost the witness", metadata: ["reason": "\(reason)"]) }
        witnessLoss = reason
        engine?.witnessDisconnected()
    }

    func arbiterAnswered(_ answer: RegisterAnswer) {
        if !witnessLoss.isEmpty {
            log.info("the witness is there")
            witnessLoss = ""
        }
        engine?.registerAnswered(answer)
    }

    // MARK: the engine's orders

    var now: Instant { monotonicNow() }
    func send(_ envelope: PeerEnvelope, everywhere: Bool) {
        delays.sent(envelope.message.body, at: now)
        link.send(envelope, everywhere: everywhere)
    }
    func ask(_ request: RegisterRequest) { arbiter.ask(request) }
    func deliver(_ answers: [WriteAnswer]) { seats.deliver(answers) }
    func deliver(_ answers: [ReadAnswer]) { seats.deliver(answers) }

    func standingChanged(_ standing: Standing) {
        if standing.role != self.standing.role || standing.epoch != self.standing.epoch {
            log.notice("role", metadata: ["role": "\(standing.role)", "epoch": "\(standing.epoch)"])
        }
        self.standing = standing
        seats.tell(standing)
        lookAtSnapshot()
        continueStopping()
    }

    func halt(_ reason: HaltReason) { halted(reason) }

    // MARK: a copy for the other node

    /// From now on the log is kept. Nil: this node does not lead.
    func groundForSnapshot() -> SnapshotGround? {
        guard let engine, engine.replica.serves else { return nil }
        let (applied, record) = (engine.replica.applied, engine.replica.record)
        engine.pinned = applied
        return SnapshotGround(
            applied: applied, leads: engine.replica.epoch, register: record.register, witness: record.witness)
    }

    /// Nil: the log need not be kept any more.
    func keepLog(from lsn: LSN?) { engine?.pinned = lsn }

    private func lookAtSnapshot() {
        guard let replica = engine?.replica else { return }
        var level = false
        if case .primary(let primary) = replica.role { level = primary.session?.settled ?? false }
        snapshots.look(leads: replica.serves, level: level)
    }

    // MARK: stopping

    /// Ends orderly: a primary hands over first, if its standby can take over.
    func stop(_ stopped: @escaping () -> Void) {
        guard stopping == nil else { return }
        stopping = stopped
        if engine?.replica.serves == true {
            if let obstacle = switchOver() {
                log.warning("stopping without handing over", metadata: ["because": "\(obstacle)"])
                return finishStopping()
            }
            log.info("handing over before stopping")
            // Longer than that a hand-over never takes: it is given up by then.
            let patience = TimeAmount.milliseconds(Int64(2 * settings.timings.handoverAfter))
            loop.assumeIsolated().scheduleTask(in: patience) { self.finishStopping() }
        } else {
            finishStopping()
        }
    }

    /// Seats go to the new primary once they hear of it, so this node stays until the other one serves.
    private func continueStopping() {
        guard stopping != nil, let replica = engine?.replica, !replica.serves, replica.peer.hello?.leads == true
        else { return }
        finishStopping()
    }

    private func finishStopping() {
        guard let stopped = stopping else { return }
        stopping = {}
        stopped()
    }
}

package let twinlineVersion = "0.1.0"
