import Replication

/// One node: a real `Replica`, and around it what an engine would do, over a played disk and database.
final class SimulatedNode {
    struct WitnessConnection: Equatable { var witness: RandomID, number, start: UInt64 }

    unowned let world: World
    let name: NodeName
    /// Nil while the process is dead.
    var replica: Replica?
    /// Counts deaths and births; what was begun in an earlier life does not report to a later one.
    var life = 0
    /// Stopped like by SIGSTOP: facts wait in `inbox`.
    private(set) var paused = false
    private var inbox: [() -> Void] = []
    /// The machine is up and the process dead: dialling is refused.
    private(set) var refuses = false

    var record: NodeRecord
    var saves: [NodeRecord] = []
    var log = SimulatedLog()
    var orderUnderWay: SimulatedLog.Order?
    /// What the database holds, and is to hold.
    var applied = LSN.zero
    var applyThrough = LSN.zero
    var applying = false
    var slowDiskUntil: UInt64 = 0
    var slowDatabaseUntil: UInt64 = 0
    /// When what its disk or database has begun and takes long will be done.
    var lateUntil: UInt64 = 0

    var connection: Int?
    var witnessConnection: WitnessConnection?
    /// Which of the world's witnesses it dials.
    var witnessAddress = 0
    var shipping: (next: LSN, session: UniqueNumber)?
    var reads: [WaitingRead] = []
    /// Told to the ledger already.
    var reported = LSN.zero
    private var clock = (rate: UInt64(100), at: UInt64(0), reading: UInt64(0))

    init(_ world: World, _ name: NodeName, _ record: NodeRecord) {
        (self.world, self.name, self.record) = (world, name, record)
    }

    /// This machine's monotonic clock; in the chaos it may run at a third or three times the others' rate.
    var instant: Instant {
        Instant(nanoseconds: (clock.reading + (world.now - clock.at) * clock.rate / 100) * 1000)
    }

    func setClock(rate: UInt64) {
        clock = (rate, world.now, instant.nanoseconds / 1000)
    }

    // MARK: life and death

    func start() {
        guard replica == nil else { return }
        life += 1
        refuses = false
        record.starts += 1
        (reported, applyThrough) = (applied, applied)
        if world.profile.clocksDiffer, !world.healed { setClock(rate: world.random.within(33...300)) }
        replica = Replica(
            name: name, record: record, log: log.table, applied: applied, process: world.random.next(),
            spareDisk: RandomID(high: world.random.next(), low: world.random.next()), now: instant,
            timings: world.profile.timings)
        replica?.nearlyLevel = world.profile.nearlyLevel
        world.note("\(name) starts with \(record.epoch), log \(log.table.last), applied \(applied)")
        world.ledger.started(self, world)
        tick()
        dialWitness()
    }

    func crash(powerCut: Bool) {
        guard replica != nil else { return }
        world.note("\(name) crashes\(powerCut ? ", its power cut" : "")")
        life += 1
        replica = nil
        (paused, inbox) = (false, [])
        for record in saves.prefix(Int(world.random.below(UInt64(saves.count + 1)))) { self.record = record }
        saves = []
        let cut = world.random.chance(50) ? orderUnderWay : nil
        log.crash(keeping: { world.random.within(powerCut ? $0 : $0.upperBound...$0.upperBound) }, cutting: cut)
        orderUnderWay = nil
        // SQLite's WAL may lose in a power cut what it had committed; the log repairs it.
        if powerCut { applied = LSN(world.random.within((applied.value > 3 ? applied.value - 3 : 0)...applied.value)) }
        applying = false
        let held = connection
        (connection, witnessConnection, shipping, reads) = (nil, nil, nil, [])
        refuses = !powerCut
        let other = world[name.other]
        guard let held, !powerCut, !world.link.broken, !world.link.held[other.name] else { return }
        world.after(world.random.within(0...5_000)) { if other.connection == held { other.closed() } }
    }

    func pause() {
        guard replica != nil else { return }
        world.note("\(name) is stopped")
        paused = true
    }

    func resume() {
        guard paused else { return }
        world.note("\(name) goes on")
        paused = false
        let facts = inbox
        inbox = []
        if world.random.chance(50) { step("tick") { $0.tick() } }
        for fact in facts { fact() }
    }

    // MARK: facts

    /// Hands a fact to the process as soon as it runs, provided it is still the same process.
    func deliver(_ fact: @escaping () -> Void) {
        let life = life
        guard replica != nil else { return }
        guard paused else { return fact() }
        inbox.append { if self.life == life { fact() } }
    }

    func step(
        _ what: @autoclosure () -> String, _ entries: [Record] = [], _ fact: (inout Replica) -> [Effect]
    ) {
        guard replica != nil else { return }
        replica!.clock(instant)
        let effects = fact(&replica!)
        if world.tracing { trace(what(), effects) }
        perform(effects, entries)
        ship()
        if !reads.isEmpty { answerReads() }
        world.ledger.stepped(self, world)
    }

    private func tick() {
        let life = life
        world.after(max(1, 5_000_000 / clock.rate)) {
            guard self.life == life else { return }
            self.tick()
            if !self.paused { self.step("tick") { $0.tick() } }
        }
    }

    private func dialWitness() {
        let life = life
        world.after(world.random.within(5_000...50_000)) {
            guard self.life == life else { return }
            self.dialWitness()
            if !self.paused { self.world.witnesses[self.witnessAddress].dial(from: self) }
        }
    }

    func connected(_ connection: Int) {
        deliver {
            self.connection = connection
            self.step("connected") { $0.peerConnected() }
        }
    }

    func closed() {
        deliver {
            guard self.connection != nil else { return }
            (self.connection, self.shipping) = (nil, nil)
            self.step("disconnected") { $0.peerDisconnected() }
        }
    }

    func refused() {
        deliver { if self.connection == nil { self.step("refused") { $0.peerRefused() } } }
    }

    func received(_ frame: SimulatedLink.Frame, on connection: Int) {
        deliver {
            guard self.connection == connection else { return }
            self.step("<- \(frame.message.show)", frame.entries) { $0.receive(frame.message) }
        }
    }

    func witnessUp(_ connection: WitnessConnection) {
        witnessConnection = connection
        step("witness \(connection.witness.low) connected") {
            let isOwn = $0.record.witness.id == connection.witness
            return isOwn ? $0.witnessConnected() : $0.foreignWitnessConnected(connection.witness)
        }
    }

    func witnessDown(_ connection: WitnessConnection) {
        deliver {
            guard self.witnessConnection == connection else { return }
            self.witnessConnection = nil
            self.step("witness disconnected") { $0.witnessDisconnected() }
        }
    }

    func answered(_ answer: RegisterAnswer, on connection: WitnessConnection) {
        deliver {
            guard self.witnessConnection == connection else { return }
            self.step("witness: \(answer.show)") { $0.registerAnswered(answer) }
        }
    }

    typealias Effect = Replica.Effect
}
