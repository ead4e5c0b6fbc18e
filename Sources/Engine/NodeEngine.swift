import Planted
import Replication
import Tickets
import Wire

/// One node: the replica's rules, its log, its database, driven together. It knows no socket and no thread: facts come
/// in by its methods, all on one thread; orders go out to the workers and the shell.
package final class NodeEngine {
    package private(set) var replica: Replica
    let pair: RandomID
    let log: any LogWorker
    let database: any DatabaseWorker
    let reader: any ReadWorker
    unowned let shell: any NodeShell

    var tip: LogTip
    var cache = EntryCache()
    /// Frames that came with the message being received, until the replica has said which to append.
    private var incoming: [EntryFrame] = []
    var shipping: Shipping?
    /// The log is kept from here on, whatever its limit: a copy of the database is being fetched that ends here.
    package var pinned: LSN?
    var writes: Writes
    var reads = Reads()
    var freshness = Freshness()
    private var standing: Standing
    /// Counts the times that this node began to serve.
    private(set) var reign: UInt64 = 0
    /// Counts what is done for seats, here or for the other node: it only tells busy from idle.
    package internal(set) var work: UInt64 = 0
    private var halted = false
    /// What is sent now is a heartbeat, or goes with one.
    private var isBeating = false
    /// In this reign requests are taken, or refused because the disk is full.
    private var isTaking = false
    /// Requests are refused, since the disk is full.
    private var isPaused = false

    /// - Parameter tip: the end of the log, all of it synced.
    package init(
        replica: Replica, pair: RandomID, tip: LogTip, log: any LogWorker, database: any DatabaseWorker,
        reader: any ReadWorker, shell: any NodeShell
    ) {
        self.replica = replica
        self.pair = pair
        self.tip = tip
        self.log = log
        self.database = database
        self.reader = reader
        self.shell = shell
        writes = Writes(ordered: replica.applied)
        standing = Standing(epoch: replica.epoch, role: .starting)
    }

    /// The digest at the log's end, and which entry that is.
    package var digestAtTip: (lsn: LSN, digest: Digest) { (tip.position.lsn, tip.digest) }

    // MARK: facts

    package func tick() {
        isBeating = true
        run { $0.tick() }
        isBeating = false
    }
    package func peerConnected() { run { $0.peerConnected() } }
    package func peerDisconnected(dismissed: Bool = false) { run { $0.peerDisconnected(dismissed: dismissed) } }
    package func peerRefused() { run { $0.peerRefused() } }
    /// - Parameter id: of the witness that answers; the pair's own may be another one.
    package func witnessConnected(_ id: RandomID) {
        run { id == $0.record.witness.id ? $0.witnessConnected() : $0.foreignWitnessConnected(id) }
    }
    package func witnessDisconnected() { run { $0.witnessDisconnected() } }
    package func newerEpochHeard(_ epoch: Epoch) { run { $0.newerEpochHeard(epoch) } }
    package func seatsChanged<Seat>(_ seats: SeatReach<Seat>) {
        run { $0.seatsConnected(seats.here, recent: seats.recent, stranded: seats.stranded) }
    }
    package func seatsAlive(_ count: Int) { run { $0.seatsAlive(count) } }
    package func registerAnswered(_ answer: RegisterAnswer) { run { $0.registerAnswered(answer) } }

    /// The connection that frames were sent over is gone and another one is in use: what was under way may be lost.
    package func peerRouteChanged() {
        if case .primary(let primary) = replica.role, let session = primary.session {
            ship(from: max(session.acked, LSN(max(1, shipping?.first.value ?? 1) - 1)).next, session: session.id)
        }
        // Whatever else was lost, a heartbeat says again.
        tick()
    }

    /// A part of a long message has come, or is on the disk.
    package func worked() { run { $0.worked() } }

    package func receive(_ envelope: PeerEnvelope) {
        incoming = envelope.frames
        if case .append = envelope.message.body { work &+= 1 }
        if case .confirm = envelope.message.body { work &+= 1 }
        // With entries to come, the first of them tells: it names the chain value that it follows.
        if case .joinAccepted(let common) = envelope.message.body, common == tip.position,
            let chain = envelope.chain, chain != tip.chain
        {
            return halt(.chainDiffers(at: common))
        }
        run { $0.receive(envelope.message) }
        incoming = []
        noteAge(envelope)
        pump()
    }

    package func handle(_ event: WorkerEvent) {
        switch event {
        case .logSynced(let lsn): run { $0.logSynced(through: lsn) }
        case .logWorked: worked()
        case .logCut(let lsn, let tip):
            self.tip = tip
            run { $0.logCut(to: lsn) }
        case .recordSaved(let record): run { $0.recordSaved(record) }
        case .applied(let lsn):
            run { $0.applied(through: lsn) }
            freshness.applied(through: lsn)
            reads.applied(through: lsn, reader)
            releaseCache()
            if planted("releaseBeforeTheCheckpoint") { releaseLog(lsn) }
        case .checkpointed(let lsn): releaseLog(lsn)
        case .logReleased(let first): run { $0.logReleased(through: LSN(first.value - 1)) }
        case .entriesRead(let frames, let purpose): entriesRead(frames, purpose)
        case .batchExecuted(let batch): executed(batch)
        case .requestsReturned(let requests, let reason): shell.deliver(requests.map { $0.answered(.notNow(reason)) })
        case .roomChanged(let hasRoom): run { $0.roomChanged(hasRoom) }
        case .failed(let failure): halt(.worker(failure))
        }
    }

    // MARK: effects

    func run(_ fact: (inout Replica) -> [Replica.Effect]) {
        guard !halted else { return }
        replica.clock(shell.now)
        for effect in fact(&replica) { perform(effect) }
        follow()
    }

    private func perform(_ effect: Replica.Effect) {
        switch effect {
        case .save(let record): log.save(record)
        case .send(let message): send(message)
        case .ask(let request): shell.ask(request)
        case .append(let run):
            append(incoming.filter { $0.position.lsn >= run.first && $0.position.lsn <= run.last.lsn })
        case .mark(let position, let forced):
            append([frame(position, forced ? .forcedMark : .mark, EntryDraft(payload: []), tip.digest)])
        case .cut(let lsn): log.cut(to: lsn)
        case .ship(let lsn, let session): ship(from: lsn, session: session)
        case .commit: break
        case .confirmReads(let round): reads.confirmed(through: round, applied: replica.applied, reader, deliver)
        case .lend(let position): log.read(from: position.lsn.next, maxBytes: Shipping.chunk, for: .lending)
        case .reseed: halt(.reseedNeeded)
        case .halt(let violation): halt(.violation(violation))
        }
    }

    private func send(_ message: Message) {
        var chain: UInt64?
        if case .joinAccepted(let common) = message.body, common == tip.position { chain = tip.chain }
        let envelope = PeerEnvelope(message, chain: chain, pair: pair, stamp: stamp(of: message))
        shell.send(envelope, everywhere: isBeating)
    }

    /// What follows from the replica's new state, rather than from one effect.
    private func follow() {
        guard !halted else { return }
        let now = Standing(
            epoch: replica.knownEpoch, role: replica.serves ? .primary : replica.isFollowing ? .standby : .starting)
        if now != standing {
            let served = standing.role == .primary
            let sameReign = served && now.role == .primary && now.epoch == standing.epoch
            standing = now
            if served, !sameReign { resign() }
            shell.standingChanged(now)
            if now.role == .primary, !sameReign {
                reign += 1
                isTaking = false
            }
        }
        proposeHeld()
        orderCommits()
        takeRequests()
        pauseIfFull()
    }

    /// From the beginning of a reign on, but only behind all that the log held then and the database does not, which
    /// may still have to be read: a batch has to see that, and nothing can be applied beside its open transaction.
    func takeRequests() {
        guard standing.role == .primary, !isTaking,
            writes.ordered >= replica.committed || planted("executeBeforeApplied")
        else { return }
        (isTaking, isPaused) = (true, false)
        database.takeRequests(reign: reign)
    }

    private func pauseIfFull() {
        guard standing.role == .primary, isTaking, isPaused == replica.hasRoom else { return }
        isPaused = !replica.hasRoom
        if isPaused { database.pauseRequests(.diskFull) } else { database.takeRequests(reign: reign) }
    }

    /// No longer the one that answers: nothing that waits here will be answered here.
    private func resign() {
        database.refuseRequests()
        abandonBatch()
        shipping = nil
        deliver(reads.abandon())
        deliver(reads.abandonAnswers())
    }

    private func append(_ frames: [EntryFrame]) {
        guard let first = frames.first, let last = frames.last else { return }
        guard first.chainBefore == tip.chain else { return halt(.chainDiffers(at: tip.position)) }
        cache.append(frames)
        tip = LogTip(after: last)
        // To the standby first: its sync takes a journey more than the one here, and both run side by side.
        pump()
        log.append(frames)
    }

    func appendOwn(_ position: Position, _ kind: EntryKind, _ changes: EntryDraft, _ digest: Digest) {
        append([frame(position, kind, changes, digest)])
    }

    private func frame(_ position: Position, _ kind: EntryKind, _ draft: EntryDraft, _ digest: Digest) -> EntryFrame {
        draft.placed(
            at: position, kind: kind, schemaVersion: tip.schemaVersion, digest: digest, chainBefore: tip.chain)
    }

    func propose() -> Position? { replica.propose() }

    func deliver(_ answers: [WriteAnswer]) { if !answers.isEmpty { shell.deliver(answers) } }
    func deliver(_ answers: [ReadAnswer]) { if !answers.isEmpty { shell.deliver(answers) } }

    func halt(_ reason: HaltReason) {
        guard !halted else { return }
        halted = true
        database.refuseRequests()
        shell.halt(reason)
    }
}
