import DurableLog
import Engine
import Replication
import Store
import Tickets
import Wire

/// What nobody in the pair can see: everything that was ever committed, named, claimed, answered or shown, and by whom.
/// It judges by the design's rules, after each step; each check says which promise it guards.
final class Ledger {
    unowned let world: World

    struct Entry {
        let position: Position
        let chain: UInt64
        let digest: Digest
        var effects: [Effect]
    }

    /// What one request of a batch did.
    struct Effect {
        let name: RequestName
        let outcome: WriteAnswer.Outcome
        let command: Command?
    }

    struct RequestName: Hashable {
        var session: Int64
        var sequence: UInt64
    }

    /// All that was ever committed, by LSN from 1: there is one history.
    var history: [Position] = []
    /// Every entry that is in any log.
    private(set) var entries: [Position: Entry] = [:]
    /// Executed, and not yet in a log.
    private var executed: [NodeName: (digest: Digest, effects: [Effect])] = [:]
    /// What each node's disk holds for certain, as its log.
    var durable = PerNode(a: EpochTable(), b: EpochTable())
    /// What it held when it was wiped or put back: its process may have acknowledged that, and until the next one
    /// starts the other node may not have heard it.
    private var gone = PerNode(a: EpochTable(), b: EpochTable())
    private var leaders: [Epoch: Leader] = [:]
    private var served = Epoch.zero
    private struct Leader: Equatable { var name: NodeName, life: UInt64 }
    /// The epochs that a witness has put on record, and for whom.
    private var claims: [Epoch: NodeName] = [:]
    private var asked: [Epoch: UniqueNumber] = [:]
    /// Whom a register has named as able to take over: a standby's disk, in one life of its node.
    var named: Set<Successor> = []
    struct Successor: Hashable { var epoch: Epoch, disk: RandomID, starts: UInt64 }
    /// By witness.
    private(set) var registers: [RandomID: Register] = [:]
    /// What the database was ordered to commit in the step that is under way.
    private var orders: [Position] = []
    /// Answers given in it.
    var given: [WriteAnswer] = []
    var outcomes: [RequestName: (outcome: WriteAnswer.Outcome, lsn: LSN)] = [:]
    var sessions: [Int64: LSN] = [:]
    /// The newest entry of which somebody was told.
    var answered = LSN.zero, answeredAt: [(time: UInt64, lsn: LSN)] = []
    /// What became of each ticket, oldest first.
    var tickets: [TicketID: [Change]] = [:]
    struct Change { var lsn: LSN, revision: Int64, state: Ticket.State }
    /// What the seats' operations did.
    var done: [UInt64: (lsn: LSN, done: Done)] = [:]
    var counts = Counts()

    struct Counts { var answers = 0, reads = 0, entries = 0 }

    init(_ world: World) { self.world = world }

    // MARK: entries

    /// A batch's transaction is open.
    func executed(_ requests: [PendingWrite], _ batch: Batch, by process: NodeProcess) {
        guard !batch.changeset.isEmpty else { return }
        var effects: [Effect] = []
        for (pending, outcome) in zip(requests, batch.outcomes) {
            switch outcome {
            case .answer(_, remembered: false), .sessionOpened: break
            default: continue
            }
            var command: Command?
            if case .command(let found) = pending.request.body { command = found }
            effects.append(
                Effect(
                    name: RequestName(session: pending.request.session, sequence: pending.request.sequence),
                    outcome: WriteAnswer.Outcome(outcome), command: command))
        }
        executed[process.name] = (batch.digest, effects)
    }

    /// (epoch, LSN) names one entry for ever (R7).
    func appended(_ frames: [EntryFrame], by process: NodeProcess) {
        for frame in frames {
            if let known = entries[frame.position] {
                if known.chain != frame.chain { world.fail("MATCH: \(process.name) has another \(frame.position)") }
                continue
            }
            var effects: [Effect] = []
            if !frame.kind.isMark {
                guard let batch = executed[process.name], batch.digest == frame.digest else {
                    world.fail("MATCH: \(process.name) appends \(frame.position), which it has not executed")
                    return
                }
                effects = batch.effects
            }
            entries[frame.position] = Entry(
                position: frame.position, chain: frame.chain, digest: frame.digest, effects: effects)
        }
    }

    /// The database is ordered to commit these.
    func ordered(_ positions: [Position]) { orders += positions }

    /// One history; what is answered is on both disks, or on the one that leads alone (P1).
    func commit(_ process: NodeProcess) {
        let replica = process.engine.replica
        while UInt64(history.count) < replica.committed.value {
            let lsn = LSN(UInt64(history.count + 1))
            guard case .primary(let primary) = replica.role, let epoch = replica.log.epoch(at: lsn),
                let entry = entries[Position(epoch, lsn)]
            else { return world.fail("P1: \(process.name) commits \(lsn), and no primary did before") }
            history.append(entry.position)
            counts.entries += 1
            take(entry)
            check(entry.position, primary, process.name)
        }
        for position in orders where position != committed(at: position.lsn) {
            world.fail("LOST: \(process.name) commits \(position) in place of what was committed there")
        }
        orders = []
    }

    /// Nil: nothing yet.
    func committed(at lsn: LSN) -> Position? {
        (1...UInt64(max(history.count, 1))).contains(lsn.value) && !history.isEmpty ? history[Int(lsn.value) - 1] : nil
    }

    private func check(_ position: Position, _ primary: Primary, _ name: NodeName) {
        if durable[name].epoch(at: position.lsn) != position.epoch {
            world.fail("P1: \(name) commits \(position) before it is on its disk")
        }
        let other = [durable[name.other], gone[name.other]]
        if primary.needsStandby, !other.contains(where: { $0.epoch(at: position.lsn) == position.epoch }) {
            world.fail("P1: \(name) needs its standby, and commits \(position) before that has it on its disk")
        }
        if primary.epoch < served { world.fail("P4: \(name) commits \(position) while \(served) is served") }
    }

    /// The copies are equal at every entry (P7).
    func applied(_ database: ReplicatedDatabase, by process: NodeProcess) {
        let position = database.applied
        guard position == committed(at: position.lsn) else {
            return world.fail("LOST: \(process.name)'s database holds \(position), which nobody committed")
        }
        if entries[position]?.digest != database.digest {
            world.fail("P7: the digest of \(process.name)'s database at \(position) is \(database.digest)")
        }
    }

    // MARK: nodes

    func started(_ process: NodeProcess) {
        durable[process.name] = process.engine.replica.log
        gone[process.name] = EpochTable()
        let applied = process.engine.replica.applied
        if applied > process.engine.replica.log.last.lsn {
            world.fail("UNDO: \(process.name)'s database holds \(applied), its log ends before")
        }
    }

    /// Its disk is another one.
    func forget(_ name: NodeName) {
        gone[name] = durable[name]
        durable[name] = EpochTable()
    }

    /// Its disk does not remember what it asked the witness for.
    func forgetClaims(of name: NodeName) { asked = asked.filter { $0.key.owner != name } }

    /// Nothing that rests on a disk goes back.
    func saved(_ record: NodeRecord, over before: NodeRecord, by process: NodeProcess) {
        if record.epoch < before.epoch || record.claimed < before.claimed {
            world.fail("R7: \(process.name) goes back from \(before.epoch), \(before.claimed)")
        }
        if record.register.version < before.register.version && record.witness == before.witness
            || record.witness.number < before.witness.number
        {
            world.fail("R12: \(process.name) goes back from version \(before.register.version)")
        }
    }

    /// An epoch is on disk before anything is sent in it (R7).
    func sent(_ message: Message, by process: NodeProcess) {
        guard message.epoch > process.log.saved.epoch else { return }
        world.fail("R7: \(process.name) speaks in \(message.epoch), which is not on its disk")
    }

    /// A number is on disk before it is claimed, and no two claims share one (R4).
    func asked(_ request: RegisterRequest, by process: NodeProcess) {
        guard case .compareAndSet(_, let register) = request.action, case .claiming = process.engine.replica.role
        else { return }
        if process.log.saved.claimed < register.epoch {
            world.fail("R4: \(process.name) claims \(register.epoch), which is not on its disk")
        }
        if asked[register.epoch] != nil { world.fail("R4: \(process.name) claims \(register.epoch) twice") }
        asked[register.epoch] = request.number
    }

    /// The witness's record never goes back (R12).
    func recorded(_ record: Witness.Record, by witness: SimulatedWitness) {
        guard let register = record.registers.first(where: { $0.id == world.pair })?.register else { return }
        if let before = registers[record.id], register != before,
            register.version <= before.version || register.epoch < before.epoch
        {
            world.fail("R12: the register went from \(before.brief) to \(register.brief)")
        }
        registers[record.id] = register
        if register.mode == .paired {
            let standby = register.primary.other
            named.insert(
                Successor(epoch: register.epoch, disk: register.disks[standby], starts: register.starts[standby]))
        }
        if let owner = claims[register.epoch], owner != register.primary {
            world.fail("R7: \(register.epoch) is \(owner)'s, and on record for \(register.primary)")
        }
        claims[register.epoch] = register.primary
    }

    /// Whoever begins to answer holds all that was ever answered, and leads an epoch of its own by a recorded claim, in
    /// one life (R5, R7).
    func stands(_ process: NodeProcess) {
        guard process.standing.role == .primary, case .primary(let primary) = process.engine.replica.role
        else { return }
        served = max(served, primary.epoch)
        if primary.epoch.owner != process.name { world.fail("R7: \(process.name) leads \(primary.epoch)") }
        if !primary.forced, claims[primary.epoch] != process.name {
            world.fail("R5: \(process.name) leads \(primary.epoch) without a recorded claim")
        }
        let leader = Leader(name: process.name, life: process.node.life)
        if let known = leaders[primary.epoch], known != leader { world.fail("R5: \(primary.epoch) is led twice") }
        leaders[primary.epoch] = leader
        guard let newest = history.last else { return }
        if durable[process.name].epoch(at: newest.lsn) != newest.epoch {
            world.fail("LOST: \(process.name) leads \(primary.epoch) without \(newest), which was answered")
        }
    }
}
