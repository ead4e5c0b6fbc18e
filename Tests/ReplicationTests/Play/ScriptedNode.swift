@testable import Replication

/// One node, and the records that are on their way to its disk.
///
/// It begins in one of the situations of `Stage`, or as `a started e3 log e3:1..2 applied 1 register v5 e3 a solo`.
struct ScriptedNode: Player {
    private var replica: Replica
    private var saving: [NodeRecord] = []

    init(_ start: inout Words) throws {
        let name = try start.node()
        switch (name, try start.next("situation")) {
        case (.a, "solo"): replica = Stage.solo()
        case (.a, "joined"): replica = Stage.joined()
        case (.a, "paired"): replica = Stage.paired()
        case (.b, "following"): replica = Stage.following()
        case (_, "started"):
            let epoch = try start.epoch()
            let log = try start.take("log", else: EpochTable()) { try $0.log() }
            let applied = try start.take("applied", else: .zero) { try $0.lsn() }
            let register = try start.take("register", else: Stage.register()) { try $0.register() }
            replica = Stage.started(name, epoch: epoch.value, register: register, log: log, applied: applied)
        case (_, let word): throw start.unreadable(word, "situation of node \(name)")
        }
    }

    mutating func play(_ fact: inout Words) throws -> [String] {
        let before = replica.role.show
        var (said, effects) = try happen(&fact)
        for case .save(let record) in effects { saving.append(record) }
        said += effects.map(\.show)
        return replica.role.show == before ? said : said + ["= \(replica.role.show)"]
    }

    /// What the call returned beside its effects, in words.
    private mutating func happen(_ fact: inout Words) throws -> (said: [String], effects: [Replica.Effect]) {
        switch try fact.next("fact") {
        case "propose": return ([replica.propose().map { "place \($0)" } ?? "no place"], [])
        case "read":
            switch replica.read() {
            case nil: return (["no read"], [])
            case (.none, let effects)?: return (["read at once"], effects)
            case (.round(let round), let effects)?: return (["read after round \(round)"], effects)
            }
        case "switch":
            try fact.expect("over")
            let (obstacle, effects) = replica.switchOver()
            return (obstacle.map { ["no switchover: \($0.show)"] } ?? [], effects)
        case "receive": return ([], replica.receive(try fact.message()))
        case "witness": return ([], try witness(&fact))
        case "peer": return ([], try peer(&fact))
        case "log": return ([], try log(&fact))
        case "record":
            try fact.expect("saved")
            guard !saving.isEmpty else { throw fact.unreadable("record", "record being saved") }
            return ([], replica.recordSaved(saving.removeFirst()))
        case "applied": return ([], replica.applied(through: try fact.lsn()))
        case "seats": return ([], replica.seatsConnected(Int(try fact.count())))
        case "seat":
            try fact.expect("knows")
            return ([], replica.newerEpochHeard(try fact.epoch()))
        case "adopt":
            let (obstacle, effects) = replica.adoptWitness(RandomID(high: Stage.witness.id.high, low: try fact.count()))
            return (obstacle.map { ["no adoption: \($0.show)"] } ?? [], effects)
        case "force":
            let (obstacle, effects) = replica.force(fact.take("solo") ? .solo : .promote)
            if !fact.isEmpty { try fact.expect("promote") }
            return (obstacle.map { ["not forced: \($0.show)"] } ?? [], effects)
        case "disk": return ([], replica.roomChanged(!fact.take("full")))
        case "tick": return ([], replica.later(milliseconds: try fact.count()))
        case let word: throw fact.unreadable(word, "fact")
        }
    }

    private mutating func log(_ fact: inout Words) throws -> [Replica.Effect] {
        if fact.take("worked") { return replica.worked() }
        if fact.take("cut", "to") { return replica.logCut(to: try fact.lsn()) }
        try fact.expect("synced")
        let lsn = try fact.lsn()
        guard lsn <= replica.log.last.lsn else { throw fact.unreadable("\(lsn)", "entry of the log") }
        return replica.logSynced(through: lsn)
    }

    private mutating func peer(_ fact: inout Words) throws -> [Replica.Effect] {
        switch try fact.next("change of the link") {
        case "connected": return replica.peerConnected()
        case "disconnected": return replica.peerDisconnected()
        case "refused": return replica.peerRefused()
        case let word: throw fact.unreadable(word, "change of the link")
        }
    }

    /// An answer names its question, or belongs to the one that is under way.
    private mutating func witness(_ fact: inout Words) throws -> [Replica.Effect] {
        if fact.take("connected") { return replica.witnessConnected() }
        if fact.take("is", "another,") {
            return replica.foreignWitnessConnected(RandomID(high: Stage.witness.id.high, low: try fact.count()))
        }
        if fact.take("disconnected") { return replica.witnessDisconnected() }
        if fact.take("says") { return replica.witnessSays(try fact.outcome()) }
        try fact.expect("answers")
        let word = try fact.next("number of the question")
        guard let number = Words.number(word) else { throw fact.unreadable(word, "number") }
        return replica.registerAnswered(RegisterAnswer(number: number, outcome: try fact.outcome()))
    }
}
