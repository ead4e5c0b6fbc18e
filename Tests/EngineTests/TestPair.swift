import DurableLog
import Foundation
import Replication
import Store
import Tickets
import Wire

@testable import Engine

/// Two engines and a witness in one thread: real logs, real databases, messages and worker events in queues that the
/// test empties. Nothing happens unless it is pumped.
final class TestPair {
    final class Member: NodeShell {
        let name: NodeName
        unowned let pair: TestPair
        let directory: URL
        var engine: NodeEngine!
        var log: InlineLog!
        var database: InlineDatabase!
        var answers: [WriteAnswer] = []
        var views: [ReadAnswer] = []
        var halts: [HaltReason] = []
        var standings: [Standing] = []
        var events: [WorkerEvent] = []
        /// The log's disk does not answer.
        var logStuck = false
        var databaseStuck = false

        init(_ name: NodeName, _ pair: TestPair, _ directory: URL) {
            (self.name, self.pair, self.directory) = (name, pair, directory)
        }

        var now: Instant { pair.now }
        func send(_ envelope: PeerEnvelope, everywhere: Bool) { pair.deliver(envelope, to: name.other) }
        func ask(_ request: RegisterRequest) { pair.ask(request, by: name) }
        func deliver(_ answers: [WriteAnswer]) { self.answers += answers }
        func deliver(_ answers: [ReadAnswer]) { views += answers }
        func standingChanged(_ standing: Standing) { standings.append(standing) }
        func halt(_ reason: HaltReason) { halts.append(reason) }
        var serves: Bool { engine?.replica.serves ?? false }
    }

    let root: URL
    var now = Instant(nanoseconds: 1_000_000_000)
    var members: [NodeName: Member] = [:]
    private var witness: Witness
    private var mail: [(to: NodeName, PeerEnvelope)] = []
    private var replies: [(to: NodeName, RegisterAnswer)] = []
    private var processes: UInt64 = 0
    private var linked = false
    static let id = RandomID(high: 1, low: 2)

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(
            path: "twinline-engine-\(UInt64.random(in: 0 ... .max))")
        let register = Register(
            version: 1, epoch: Epoch(1), primary: .a, mode: .paired,
            disks: PerNode(a: RandomID(high: 0, low: 10), b: RandomID(high: 0, low: 11)), starts: PerNode(a: 0, b: 0),
            floor: .zero)
        witness = Witness(
            record: .init(id: .zero, registers: [.init(id: Self.id, name: "test", register: register)]),
            start: 1, machineRebooted: false)
        for name in NodeName.allCases {
            let directory = root.appending(path: name.rawValue)
            try FileManager.default.createDirectory(
                at: directory.appending(path: "log"), withIntermediateDirectories: true)
            _ = try EntryLog.create(
                in: PosixDirectory(path: directory.appending(path: "log").path), pairID: Self.id,
                options: .init(segmentSize: 1 << 20, spares: 0))
            _ = try ReplicatedDatabase.create(at: directory.appending(path: "db").path)
            let record = NodeRecord(
                epoch: Epoch(1), claimed: Epoch(1), disk: register.disks[name], starts: 0, register: register,
                witness: WitnessChoice(.zero))
            try start(name, record)
        }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    subscript(_ name: NodeName) -> Member { members[name]! }

    func start(_ name: NodeName, _ record: NodeRecord) throws {
        var record = record
        record.starts += 1
        processes += 1
        let directory = root.appending(path: name.rawValue)
        let member = Member(name, self, directory)
        let log = try EntryLog.open(
            in: PosixDirectory(path: directory.appending(path: "log").path),
            options: .init(segmentSize: 1 << 20, spares: 0))
        let database = try ReplicatedDatabase.open(at: directory.appending(path: "db").path)
        let reader = try DatabaseReader(at: directory.appending(path: "db").path)
        let queries = try QueryReader(at: directory.appending(path: "db").path) { Instant(nanoseconds: 0) }
        let report: (WorkerEvent) -> Void = { [unowned member] in member.events.append($0) }
        member.log = InlineLog(log, saved: record, report: report)
        member.database = InlineDatabase(database, report: report)
        let base = try log.position(at: LSN(log.first.value - 1)) ?? .zero
        let replica = Replica(
            name: name, record: record, log: EpochTable(base: base, starts: log.epochStarts(), last: log.last),
            applied: database.applied.lsn, process: processes, spareDisk: RandomID(high: 9, low: processes), now: now)
        member.engine = NodeEngine(
            replica: replica, pair: Self.id, tip: try member.log.tip(), log: member.log, database: member.database,
            reader: InlineReader(reader, queries) { [unowned member] in member.views += $0 }, shell: member)
        members[name] = member
        member.engine.witnessConnected(.zero)
    }

    /// As by SIGKILL: what was not synced may be gone, and nothing more is heard.
    func kill(_ name: NodeName) -> NodeRecord {
        let record = self[name].log.saved
        self[name].log.discard()
        self[name].database.discard()
        members[name] = nil
        mail = []
        replies.removeAll { $0.to == name }
        linked = false
        members[name.other]?.engine.peerDisconnected()
        members[name.other]?.engine.peerRefused()
        return record
    }

    func link() {
        linked = true
        for name in NodeName.allCases { self[name].engine.peerConnected() }
    }

    func deliver(_ envelope: PeerEnvelope, to name: NodeName) {
        guard linked, members[name] != nil else { return }
        // Through the wire's own bytes, as between processes.
        let bytes = encoded(Twinline_Node_V1_PeerMessage(envelope))
        guard let wire: Twinline_Node_V1_PeerMessage = try? decoded(bytes), let read = try? PeerEnvelope(wire) else {
            return
        }
        mail.append((name, read))
    }

    func ask(_ request: RegisterRequest, by name: NodeName) {
        perform(witness.receive(request, pair: Self.id, named: "test", start: 1, client: name == .a ? 0 : 1))
    }

    private func perform(_ effects: [Witness.Effect]) {
        for effect in effects {
            switch effect {
            case .save: perform(witness.recordSaved())
            case .answer(let client, let answer): replies.append((client == 0 ? .a : .b, answer))
            }
        }
    }

    var register: Register { witness.register(of: Self.id)! }

    /// Everything that can happen without time passing.
    func pump() throws {
        var busy = true
        while busy {
            busy = false
            let (mail, replies) = (self.mail, self.replies)
            (self.mail, self.replies) = ([], [])
            for (name, envelope) in mail { members[name]?.engine.receive(envelope) }
            for (name, answer) in replies { members[name]?.engine.registerAnswered(answer) }
            busy = !mail.isEmpty || !replies.isEmpty
            for member in members.values.sorted(by: { $0.name.rawValue < $1.name.rawValue }) {
                if !member.logStuck { busy = try member.log.work() || busy }
                if !member.databaseStuck { busy = try member.database.work() || busy }
                let events = member.events
                member.events = []
                for event in events { member.engine.handle(event) }
                busy = busy || !events.isEmpty
            }
        }
    }

    /// Lets time pass, tick by tick.
    func run(milliseconds: UInt64) throws {
        for _ in 0..<(milliseconds / 10) {
            now = now.advanced(byMilliseconds: 10)
            for member in members.values.sorted(by: { $0.name.rawValue < $1.name.rawValue }) { member.engine.tick() }
            try pump()
        }
    }

    func formPair() throws {
        link()
        try run(milliseconds: 500)
    }

    var primary: Member? { members.values.first { $0.serves } }
}

final class TestSeat: Engine.SeatConnection {
    let loop = 0
    func write(_ answer: WriteAnswer) {}
    func write(_ answer: ReadAnswer) {}
    func flush() {}
}
