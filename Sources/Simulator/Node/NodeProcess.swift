import DurableLog
import Engine
import Replication
import Wire

/// A node's process: the real engine, and around it what the daemon is in life.
final class NodeProcess: Process, NodeShell, WitnessAsker {
    let node: SimulatedNode
    var name: NodeName { node.name }
    /// Tells it from every other process.
    let number: UInt64
    private(set) var engine: NodeEngine!
    private(set) var log: LogDisk!
    private(set) var database: DatabaseDisk!
    private(set) var reads: DatabaseReads!
    private(set) var link: PeerRoutes!
    private(set) var arbiter: WitnessRoute!
    private var seats: [SeatEnd] = []
    private var reach = SeatReach<String>()
    private(set) var standing: Engine.Standing
    /// It dies after so many effects more.
    var effectsLeft = Int.max
    let began: Position

    init(_ node: SimulatedNode, _ opened: NodeFiles.Opened, number: UInt64, spareDisk: RandomID) throws(LogError) {
        (self.node, self.number) = (node, number)
        standing = Engine.Standing(epoch: opened.file.record.epoch, role: .starting)
        began = opened.log.last
        super.init(node.world, .node(node.name), node.clock)
        var replica = try Replica(
            name, record: opened.file.record, log: opened.log, applied: opened.database.applied.lsn, process: number,
            spareDisk: spareDisk, now: now, timings: world.profile.timings)
        replica.nearlyLevel = world.profile.nearlyLevel
        standing.epoch = replica.epoch
        log = LogDisk(self, opened)
        database = DatabaseDisk(self, opened.database)
        reads = DatabaseReads(self, opened.reader)
        link = PeerRoutes(self)
        arbiter = WitnessRoute(self)
        engine = NodeEngine(
            replica: replica, pair: world.pair, tip: try opened.log.tip() ?? opened.origin, log: log,
            database: database, reader: reads, shell: self)
    }

    func start() {
        do { try database.checkpoint() } catch { report(.failed(WorkerFailure(error))) }
        guard !endIfCrashed() else { return }
        world.network.listen(host) { [unowned self] connection in self.accept(connection) }
        link.start()
        arbiter.start()
        beat()
        measure()
    }

    private func accept(_ connection: Connection) -> (any ConnectionOwner)? {
        let from = connection.ends[0].host
        if from.isNode { return link.accept(connection) }
        let seat = SeatEnd(self, connection, from)
        // A connection has its owner only weakly.
        unknown.append(seat)
        return seat
    }
    private var unknown: [SeatEnd] = []

    private func beat() {
        let since = database.stuckSince
        let isStuck = since.map { now >= $0.advanced(byMilliseconds: world.profile.timings.stallAfter) } ?? false
        if engine.replica.databaseStuck != isStuck {
            step("database stuck", "database stuck: \(isStuck)") { $0.databaseStuck(isStuck) }
        }
        step("time", "tick") { $0.tick() }
        after(milliseconds: world.profile.timings.heartbeat) { self.beat() }
    }

    private func measure() {
        step("measure") { $0.measureRoom() }
        reach.forget(at: now)
        after(milliseconds: 1000) { self.measure() }
    }

    // MARK: facts

    /// One fact goes through the engine; then everything that must hold is looked at.
    /// - Parameter cause: as the reviewed table of transitions calls it.
    func step(_ cause: String, _ what: @autoclosure () -> String = "", _ fact: (NodeEngine) -> Void) {
        guard isAlive else { return }
        if world.isTracing {
            let text = what()
            world.note(self, text.isEmpty ? cause : text)
        }
        let before = engine.replica
        fact(engine)
        world.ledger.stepped(self)
        world.coverage.note(before, engine.replica, because: cause)
        endIfCrashed()
    }

    func peerSaid(_ envelope: PeerEnvelope) {
        // A node of the version before does not know this message, and passes it over.
        if world.profile.oldVersion == name, case .working = envelope.message.body { return }
        if case .stranded = envelope.message.body {
            let long = world.profile.timings.strandedFor
            let alive = Set(seats.filter { $0.heardAt.advanced(byMilliseconds: long) >= now }.map(\.actor)).count
            step("seats alive", "\(alive) seats are heard") { $0.seatsAlive(alive) }
        }
        step(envelope.message.body.cause, "<- \(envelope.message.brief)") { $0.receive(envelope) }
    }

    func witnessConnected(_ id: RandomID) {
        let isOwn = id == engine.replica.record.witness.id
        step(isOwn ? "witness connected" : "another witness connected") { $0.witnessConnected(id) }
    }

    func witnessDisconnected() { step("witness disconnected") { $0.witnessDisconnected() } }

    func witnessAnswered(_ answer: RegisterAnswer) {
        step(answer.cause, "witness: \(answer.brief)") { $0.registerAnswered(answer) }
    }

    func report(_ event: WorkerEvent) {
        after(nanoseconds: 0) { self.step(event.cause, event.brief) { $0.handle(event) } }
    }

    func seatCame(_ seat: SeatEnd) {
        unknown.removeAll { $0 === seat }
        seats.append(seat)
        reach.note(.came, of: seat.actor, at: now)
        step("a seat connected") { $0.seatsChanged(reach) }
    }

    func seatLeft(_ seat: SeatEnd) {
        unknown.removeAll { $0 === seat }
        guard seats.contains(where: { $0 === seat }) else { return }
        seats.removeAll { $0 === seat }
        reach.note(.left(wasStranded: seat.isStranded), of: seat.actor, at: now)
        step("a seat gone") { $0.seatsChanged(reach) }
    }

    func seatSaid(_ seat: SeatEnd) {
        guard seats.contains(where: { $0 === seat }) else { return }
        reach.note(.said(isStranded: seat.isStranded), of: seat.actor, at: now)
        step("a seat reaches others") { $0.seatsChanged(reach) }
    }

    // MARK: effects

    /// False: the process has died before this one.
    func hasEffect() -> Bool {
        guard isAlive, effectsLeft > 0 else { return false }
        effectsLeft -= 1
        return true
    }

    func send(_ envelope: PeerEnvelope, everywhere: Bool) {
        guard hasEffect() else { return }
        if world.profile.oldVersion == name, case .working = envelope.message.body { return }
        if world.isTracing { world.note(self, "-> \(envelope.message.brief)") }
        world.ledger.sent(envelope.message, by: self)
        link.send(envelope, everywhere: everywhere)
    }

    func ask(_ request: RegisterRequest) {
        guard hasEffect() else { return }
        if world.isTracing { world.note(self, "asks \(request.brief)") }
        world.ledger.asked(request, by: self)
        arbiter.ask(request)
    }

    func deliver(_ answers: [WriteAnswer]) {
        guard hasEffect() else { return }
        for answer in answers {
            world.ledger.answers(answer, by: self)
            answer.connection.write(answer)
        }
    }

    func deliver(_ answers: [ReadAnswer]) {
        guard hasEffect() else { return }
        for answer in answers { answer.connection.write(answer) }
    }

    func standingChanged(_ standing: Engine.Standing) {
        guard hasEffect() else { return }
        self.standing = standing
        if world.isTracing { world.note(self, "is \(standing.role) in \(standing.epoch)") }
        world.ledger.stands(self)
        for seat in seats { seat.write(standing) }
    }

    func halt(_ reason: HaltReason) {
        guard hasEffect() else { return }
        let node = node
        // The step that is under way ends first.
        world.after(0) { node.halted(self, reason) }
    }

    /// The disk counts how far the process gets.
    @discardableResult
    func endIfCrashed() -> Bool {
        guard isAlive, node.disk.hasCrashed || effectsLeft == 0 else { return !isAlive }
        world.note(self, "ends here")
        node.end()
        world.plague.ended(node)
        return true
    }

    func dismantle() {
        (engine, log, database, reads, link, arbiter) = (nil, nil, nil, nil, nil, nil)
        (seats, unknown) = ([], [])
    }
}
