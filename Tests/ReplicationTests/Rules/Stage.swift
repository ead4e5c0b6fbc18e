@testable import Replication

/// Replicas in the situations that the dialogue tests begin from, brought there by facts alone.
///
/// The pair's register starts at version 1: epoch e1, primary a, paired. Node a leads e3 after it has claimed; its log
/// then holds the mark e3:1.
enum Stage {
    static let diskA = RandomID(high: 1, low: 1), diskB = RandomID(high: 2, low: 2), spare = RandomID(high: 3, low: 3)
    static let witness = WitnessChoice(RandomID(high: 9, low: 9))
    static let disks = PerNode(a: diskA, b: diskB)
    /// As if drawn by node b, which joins with it.
    static let session = UniqueNumber(process: 0xB, counter: 1)

    static func register(
        _ version: UInt64 = 1, _ epoch: UInt64 = 1, _ primary: NodeName = .a, _ mode: Register.Mode = .paired,
        floor: Position = .zero, disks: PerNode<RandomID> = disks,
        starts: PerNode<UInt64> = PerNode(a: 1, b: 1)
    ) -> Register {
        Register(
            version: version, epoch: Epoch(epoch), primary: primary, mode: mode, disks: disks, starts: starts,
            floor: floor)
    }

    static func record(_ name: NodeName, epoch: UInt64 = 1, register: Register = register()) -> NodeRecord {
        NodeRecord(
            epoch: Epoch(epoch), claimed: Epoch(epoch), disk: name == .a ? diskA : diskB, starts: 1,
            register: register, witness: witness)
    }

    /// Just started, without any connection.
    static func started(
        _ name: NodeName, epoch: UInt64 = 1, register: Register = register(), log: EpochTable = EpochTable(),
        applied: LSN = .zero
    ) -> Replica {
        Replica(
            name: name, record: record(name, epoch: epoch, register: register), log: log, applied: applied,
            process: name == .a ? 0xA : 0xB, spareDisk: spare, now: Instant(nanoseconds: 0))
    }

    /// Has won e3, solo, and serves; its log holds the mark e3:1. The other node is not there.
    static func solo() -> Replica {
        var a = started(.a)
        _ = a.witnessConnected()
        _ = a.witnessSays(.current(register()))
        _ = a.peerRefused()
        a.allSaved()
        _ = a.witnessSays(.current(register()))
        _ = a.witnessSays(.won(register(2, 3, .a, .solo)))
        a.allSaved()
        _ = a.logSynced(through: LSN(1))
        _ = a.applied(through: LSN(1))
        return a
    }

    static func join(log: EpochTable = EpochTable(), synced: UInt64 = 0, disk: RandomID = diskB) -> Message {
        Message(Epoch(3), session, .join(Join(log: log, synced: LSN(synced), disk: disk, starts: 1, witness: witness)))
    }

    /// Like `solo`; then b has joined and is level, but the register does not say so yet.
    static func joined() -> Replica {
        var a = solo()
        _ = a.peerConnected()
        _ = a.receive(join())
        _ = a.receive(acknowledge(1))
        return a
    }

    /// Like `joined`; and paired is won: a failover is possible.
    static func paired() -> Replica {
        var a = joined()
        _ = a.witnessSays(.won(register(3, 3, .a, .paired, floor: Position(3, 1))))
        a.allSaved()
        return a
    }

    /// Node b, which follows a in e3; its log holds e3:1, synced, and the register says solo.
    static func followingSolo() -> Replica {
        var b = started(.b)
        _ = b.witnessConnected()
        _ = b.witnessSays(.current(register(2, 3, .a, .solo)))
        _ = b.peerConnected()
        _ = b.receive(hello(from: .a, epoch: 3, leads: true, synced: Position(3, 1)))
        b.allSaved()
        guard let session = b.joining else { return b }
        _ = b.receive(Message(Epoch(3), session, .joinAccepted(common: .zero)))
        _ = b.receive(Message(Epoch(3), session, .append(Run(Position(3, 1)), committed: LSN(1))))
        _ = b.logSynced(through: LSN(1))
        return b
    }

    /// The same, and the register says paired.
    static func following() -> Replica {
        var b = followingSolo()
        guard let session = b.followed else { return b }
        b.clock(b.now.advanced(byMilliseconds: 1000))
        _ = b.receive(Message(Epoch(3), session, .heartbeat(committed: LSN(1), synced: LSN(1), applied: LSN(1))))
        _ = b.tick()
        _ = b.witnessSays(.current(register(3, 3, .a, .paired, floor: Position(3, 1))))
        b.allSaved()
        return b
    }

    static func hello(
        from name: NodeName, epoch: UInt64, leads: Bool = false, synced: Position = .zero, starts: UInt64 = 1
    ) -> Message {
        Message(
            Epoch(epoch), .none,
            .hello(
                Hello(
                    node: name, leads: leads, synced: synced, disk: name == .a ? diskA : diskB, starts: starts,
                    registerVersion: 1)))
    }

    static func acknowledge(_ lsn: UInt64, in session: UniqueNumber = session) -> Message {
        Message(Epoch(3), session, .acknowledge(synced: LSN(lsn), applied: LSN(0)))
    }
}

extension Position {
    init(_ epoch: UInt64, _ lsn: UInt64) { self.init(Epoch(epoch), LSN(lsn)) }
}

extension EpochTable {
    /// One entry for each epoch named.
    init(epochs first: UInt64, _ rest: UInt64...) {
        self.init(base: .zero)
        for (index, epoch) in ([first] + rest).enumerated() { append(Position(epoch, UInt64(index + 1))) }
    }
}

extension Replica {
    /// The answer to the question that is under way; without one, to none that was ever asked.
    mutating func witnessSays(_ outcome: RegisterAnswer.Outcome) -> [Effect] {
        registerAnswered(RegisterAnswer(number: arbiter.pending?.number ?? .none, outcome: outcome))
    }

    mutating func losesStandby() -> [Effect] { witnessHears(peerDisconnected()) }

    /// The witness, should it have been asked only whether it is heard, answers.
    mutating func witnessHears(_ effects: [Effect]) -> [Effect] {
        effects.questions == [.read] ? effects + witnessSays(.current(record.register)) : effects
    }

    mutating func allSaved() { _ = recordSaved(record) }
    mutating func saved() -> [Effect] { recordSaved(record) }

    /// Every 50 ms this message comes, and nothing else.
    mutating func hears(_ message: Message, forMilliseconds time: UInt64) -> [Replica.Effect] {
        (0..<time / 50).flatMap { _ in receive(message) + later(milliseconds: 50) }
    }

    mutating func later(milliseconds: UInt64) -> [Effect] {
        clock(reading.advanced(byMilliseconds: milliseconds))
        return tick()
    }

    var joining: UniqueNumber? {
        if case .standby(let standby) = role, case .joining(let session) = standby.phase { session } else { nil }
    }
    var followed: UniqueNumber? {
        if case .standby(let standby) = role, standby.follows { standby.session } else { nil }
    }
    var claims: Epoch? { if case .claiming(let claim) = role { claim.number } else { nil } }
    var isIdle: Bool { if case .standby(let standby) = role { standby.phase == .idle } else { false } }
    var needsStandby: Bool? { leading?.needsStandby }
}

extension [Replica.Effect] {
    var commits: [LSN] { compactMap { if case .commit(let lsn) = $0 { lsn } else { nil } } }
    var messages: [Message] { compactMap { if case .send(let message) = $0 { message } else { nil } } }
    var bodies: [Message.Body] { messages.map(\.body) }
    var acknowledged: [LSN] {
        bodies.compactMap { if case .acknowledge(let synced, _, _, _) = $0 { synced } else { nil } }
    }
    var questions: [RegisterRequest.Action] {
        compactMap { if case .ask(let request) = $0 { request.action } else { nil } }
    }
    /// (version, register) of the compare-and-set asked for, if any.
    var change: (version: UInt64, register: Register)? {
        for question in questions {
            if case .compareAndSet(let version, let register) = question { return (version, register) }
        }
        return nil
    }
    var saves: NodeRecord? { compactMap { if case .save(let record) = $0 { record } else { nil } }.last }
    var joinsIn: UniqueNumber? { messages.first { if case .join = $0.body { true } else { false } }?.session }
}
