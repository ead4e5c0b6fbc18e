import Replication
import TestSupport

@testable import Wire

/// A node whose other half, witness and seats say whatever the protocols let through, and its surroundings, which do
/// what it asks for: late, and in order.
struct HostileTwin {
    private(set) var replica: Replica
    private(set) var isHalted = false
    /// The records that did not come back from the file that they were written to.
    private(set) var unreadable: [NodeRecord] = []
    private var random: SeededRandom
    private var orders: [Replica.Effect] = []
    private var question = RegisterRequest(number: .none, action: .read)
    private var session = UniqueNumber.none
    private var round: UInt64 = 0
    private var now: UInt64 = 0
    /// How many in a hundred numbers are as high as the protocols allow, and how many choices make sense: without
    /// some sense nobody would ever lead or follow.
    private let extremes, sense: Int

    init(seed: UInt64) {
        random = SeededRandom(seed)
        extremes = [0, 1, 10][Int(seed % 3)]
        sense = [60, 90, 97][Int(seed / 3 % 3)]
        var file = Sample.nodeFile
        file.record.register = Register(
            version: 1, epoch: Epoch(5), primary: .b, mode: .paired, disks: PerNode(a: pairID, b: diskID),
            starts: PerNode(a: 1, b: 1), floor: .zero)
        (file.record.epoch, file.record.claimed) = (Epoch(5), Epoch(6))
        replica = Replica(
            name: .b, record: file.record, log: seed % 2 == 0 ? log : EpochTable(), applied: .zero, process: 1,
            spareDisk: id(from: 0x60), now: Instant(nanoseconds: 0))
        perform(replica.peerConnected() + replica.witnessConnected())
    }

    mutating func step() {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<5: carryOut()
        case 5..<7: tick()
        case 7..<10: answer()
        case 10: perform(replica.read()?.effects ?? [])
        case 11: if let position = replica.propose() { orders.append(.mark(position, forced: false)) }
        case 12: disturb()
        default:
            let (epoch, session) = (makesSense() ? replica.epoch : epoch(), makesSense() ? session : number)
            hear(Message(epoch, session, body()))
        }
    }

    private mutating func perform(_ effects: [Replica.Effect]) {
        for effect in effects {
            switch effect {
            case .halt: isHalted = true
            case .ask(let request): question = request
            case .send(let message):
                if case .confirm(let number) = message.body { round = number }
                if message.session != .none { session = message.session }
            default: orders.append(effect)
            }
        }
    }

    private mutating func carryOut() {
        if orders.isEmpty { return }
        switch orders.removeFirst() {
        case .append(let run): perform(replica.logSynced(through: min(run.last.lsn, replica.log.last.lsn)))
        case .mark(let position, _): perform(replica.logSynced(through: min(position.lsn, replica.log.last.lsn)))
        case .cut(let lsn): perform(replica.logCut(to: lsn))
        case .commit(let lsn): perform(replica.applied(through: lsn))
        case .save(let record):
            var file = Sample.nodeFile
            file.record = record
            if (try? NodeFile(bytes: file.bytes)) != file { unreadable.append(record) }
            perform(replica.recordSaved(record))
        case .send, .ask, .ship, .confirmReads, .lend, .reseed, .halt: break
        }
    }

    private mutating func tick() {
        now += .random(in: 0...(makesSense() ? 40_000_000 : 2_000_000_000), using: &random)
        replica.clock(Instant(nanoseconds: now))
        perform(replica.tick())
    }

    private mutating func disturb() {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: perform(replica.peerDisconnected())
        case 1: perform(replica.peerRefused())
        case 2: perform(replica.witnessDisconnected())
        case 3: perform(replica.foreignWitnessConnected(id(from: 0x70)))
        case 4: perform(replica.adoptWitness(id(from: 0x70)).effects)
        case 5: perform(replica.newerEpochHeard(Epoch(.max)))
        default: perform(replica.peerConnected() + replica.witnessConnected())
        }
    }

    /// Only what the wire lets through arrives.
    private mutating func hear(_ message: Message) {
        var frames: [EntryFrame] = []
        if case .append = message.body { frames = entries() }
        if case .fetched = message.body { frames = entries() }
        let bytes = encoded(Twinline_Node_V1_PeerMessage(PeerEnvelope(message, frames: frames)))
        guard let heard = try? Codec.peer.decode(bytes) else { return }
        if case .join = message.body { session = message.session }
        perform(replica.receive(heard.message))
    }

    private mutating func answer() {
        var register = replica.record.register
        var outcome = RegisterAnswer.Outcome.current(register)
        if case .compareAndSet(let version, let asked) = question.action {
            register = asked
            register.version = version + 1
            outcome = .won(register)
        }
        if case .install(let asked) = question.action { outcome = .won(asked) }
        if !makesSense() {
            (register.version, register.epoch, register.floor) = (counted(near: register.version), epoch(), position())
            register.primary = Bool.random(using: &random) ? .a : .b
            register.mode = Bool.random(using: &random) ? .solo : .paired
            let outcomes: [RegisterAnswer.Outcome] = [
                .current(register), .lost(register), .won(register), .refused(.cautious), .refused(.unknownPair),
                .refused(.alreadyInstalled),
            ]
            outcome = outcomes[Int.random(in: 0..<6, using: &random)]
        }
        let reply = WitnessReply.answer(RegisterAnswer(number: question.number, outcome: outcome))
        let bytes = Codec.witnessReply.encode(reply)
        guard case .answer(let heard)? = try? Codec.witnessReply.decode(bytes) else { return }
        perform(replica.registerAnswered(heard))
    }
}

// What a hostile twin thinks of.
extension HostileTwin {
    private mutating func makesSense() -> Bool { .random(in: 0..<100, using: &random) < sense }

    /// Around a number that matters, or about the highest that passes.
    private mutating func counted(near number: UInt64) -> UInt64 {
        if makesSense() { return number }
        let high = Int.random(in: 0..<100, using: &random) < extremes
        return (high ? Count.messageLimit - 2 : number) &- 1 &+ .random(in: 0...2, using: &random)
    }

    private mutating func epoch() -> Epoch {
        let own = [replica.epoch, replica.record.claimed, replica.record.register.epoch, replica.log.last.epoch]
        return Epoch(counted(near: own[Int.random(in: 0..<4, using: &random)].value))
    }

    private mutating func lsn() -> LSN {
        let own = [replica.log.last.lsn, replica.log.base.lsn, replica.synced, replica.committed]
        return LSN(counted(near: own[Int.random(in: 0..<4, using: &random)].value))
    }

    private mutating func position() -> Position { Position(epoch(), lsn()) }

    private mutating func entries() -> [EntryFrame] {
        let first = max(lsn().value, 1)
        guard first < Count.messageLimit - 2 else { return [] }
        let epoch = Swift.max(epoch().value, 1)
        return (first...first + .random(in: 0...2, using: &random)).map {
            EntryFrame(encoding: entry($0, epoch: epoch), chainBefore: 0, knownSynced: .zero)
        }
    }

    private mutating func table() -> EpochTable {
        if Bool.random(using: &random) { return replica.log }
        let base = position()
        guard base.lsn.value < Count.messageLimit else { return log }
        let last = Position(epoch(), lsn())
        return EpochTable(base: base, starts: [Position(last.epoch, base.lsn.next)], last: last)
    }

    private mutating func body() -> Message.Body {
        let choice = WitnessChoice(id(from: 0x70), number: counted(near: replica.record.witness.number))
        switch Int.random(in: 0..<16, using: &random) {
        case 0, 1:
            return .hello(
                Hello(
                    node: .a, leads: !makesSense(), synced: makesSense() ? .zero : position(), disk: pairID, starts: 4,
                    registerVersion: counted(near: replica.record.register.version)))
        case 2, 3:
            session = UniqueNumber(process: 2, counter: session.counter &+ 1)
            return .join(Join(log: table(), synced: lsn(), disk: pairID, starts: 4, witness: choice))
        case 4: return .joinAccepted(common: makesSense() ? replica.log.last : position())
        case 5: return .joinRefused(.diskForgot)
        // A primary stops for good at entries.
        case 6, 7: return replica.serves && makesSense() ? .confirmed(round: round) : .append(.empty, committed: lsn())
        case 8: return .acknowledge(synced: lsn(), applied: lsn(), reachesWitness: .random(using: &random))
        case 9: return .heartbeat(committed: lsn(), synced: lsn(), applied: lsn())
        case 10: return .confirmed(round: round)
        case 11: return .handOver(through: lsn())
        case 12: return .fetch(table())
        case 13: return .fetched(.empty, last: .zero)
        case 14: return .adopt(choice)
        default: return .adopted(choice, registerVersion: counted(near: replica.record.register.version))
        }
    }
}
