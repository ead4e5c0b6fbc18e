import FoundationEssentials
import Replication

/// A message between nodes with what travels beside it and the protocol itself never looks into.
package struct PeerEnvelope: Equatable, Sendable {
    package var message: Message
    /// The entries of `append` and `fetched`, in LSN order.
    package var frames: [EntryFrame]
    /// Of `joinAccepted`: the chain value at the common position, if the primary's log ends there.
    package var chain: UInt64?
    /// Of `hello`.
    package var pair: RandomID
    /// Of the first `hello` on a connection: which process speaks, a random number.
    package var process: UInt64
    /// Of `acknowledge`: when it was sent, by the sender's clock. Of `heartbeat` and `append`: the newest of those that
    /// came in this session. 0: none.
    package var stamp: UInt64

    package init(
        _ message: Message, frames: [EntryFrame] = [], chain: UInt64? = nil, pair: RandomID = .zero,
        process: UInt64 = 0, stamp: UInt64 = 0
    ) {
        self.message = message
        self.frames = frames
        self.chain = chain
        self.pair = pair
        self.process = process
        self.stamp = stamp
    }
}

extension Twinline_Node_V1_PeerMessage {
    package init(_ envelope: PeerEnvelope) {
        self.init()
        epoch = envelope.message.epoch.value
        sessionProcess = envelope.message.session.process
        sessionCounter = envelope.message.session.counter
        switch envelope.message.body {
        case .hello(let hello):
            self.hello = Twinline_Node_V1_Hello(hello, pair: envelope.pair)
            self.hello.process = envelope.process
        case .join(let join): self.join = Twinline_Node_V1_Join(join)
        case .joinAccepted(let common):
            joinAccepted.common = Twinline_Node_V1_Position(common)
            if let chain = envelope.chain { joinAccepted.chain = chain }
        case .joinRefused(let refusal): joinRefused.reason = UInt32(refusal.rawValue)
        case .append(_, let committed):
            append.frames = Self.join(envelope.frames)
            (append.committed, append.echo) = (committed.value, envelope.stamp)
        case .fetched:
            fetched.frames = Self.join(envelope.frames)
        case .acknowledge(let synced, let applied, let reachesWitness, let hasRoom):
            (acknowledge.synced, acknowledge.applied) = (synced.value, applied.value)
            (acknowledge.reachesWitness, acknowledge.diskFull) = (reachesWitness, !hasRoom)
            acknowledge.stamp = envelope.stamp
        case .heartbeat(let committed, let synced, let applied):
            (heartbeat.committed, heartbeat.synced, heartbeat.applied) = (committed.value, synced.value, applied.value)
            heartbeat.echo = envelope.stamp
        case .confirm(let round): confirm.number = round
        case .confirmed(let round): confirmed.number = round
        case .handOver(let through): handOver.through = through.value
        case .stale: stale = Twinline_Node_V1_Stale()
        case .working: working = Twinline_Node_V1_Working()
        case .stranded(let seats): stranded.seats = seats
        case .fetch(let table): fetch = Twinline_Node_V1_EpochTable(table)
        case .adopt(let choice): adopt.witness = Twinline_Node_V1_WitnessChoice(choice)
        case .adopted(let choice, let version):
            adopted.witness = Twinline_Node_V1_WitnessChoice(choice)
            adopted.registerVersion = version
        }
    }

    /// One buffer, one copy of each frame.
    private static func join(_ frames: [EntryFrame]) -> Data {
        var data = Data(capacity: frames.reduce(0) { $0 + $1.bytes.count })
        for frame in frames { data.append(contentsOf: frame.bytes) }
        return data
    }
}

extension Twinline_Node_V1_PeerMessage {
    fileprivate var stamp: UInt64 {
        switch body {
        case .acknowledge(let acknowledge): acknowledge.stamp
        case .heartbeat(let heartbeat): heartbeat.echo
        case .append(let append): append.echo
        default: 0
        }
    }
}

extension PeerEnvelope {
    /// From bytes that have passed TLS but nothing else.
    package init(_ wire: Twinline_Node_V1_PeerMessage) throws(MalformedMessage) {
        var frames: [EntryFrame] = []
        var chain: UInt64?
        var pair = RandomID.zero
        var process: UInt64 = 0
        let body: Message.Body
        switch wire.body {
        case .hello(let hello):
            pair = try RandomID(hello.pairID, field: "pair_id")
            process = hello.process
            body = .hello(try Hello(hello))
        case .join(let join): body = .join(try Join(join))
        case .joinAccepted(let accepted):
            chain = accepted.hasChain ? accepted.chain : nil
            body = .joinAccepted(common: try Position(accepted.common, field: "common"))
        case .joinRefused(let refused):
            guard let reason = JoinRefusal(rawValue: UInt8(clamping: refused.reason)) else {
                throw MalformedMessage(field: "reason")
            }
            body = .joinRefused(reason)
        case .append(let append):
            frames = try Self.split(append.frames)
            body = .append(Run(frames), committed: try LSN(wire: append.committed, field: "committed"))
        case .fetched(let append):
            frames = try Self.split(append.frames)
            body = .fetched(Run(frames), last: frames.last?.position ?? .zero)
        case .acknowledge(let ack):
            body = .acknowledge(
                synced: try LSN(wire: ack.synced, field: "synced"),
                applied: try LSN(wire: ack.applied, field: "applied"),
                reachesWitness: ack.reachesWitness,
                hasRoom: !ack.diskFull)
        case .heartbeat(let beat):
            body = .heartbeat(
                committed: try LSN(wire: beat.committed, field: "committed"),
                synced: try LSN(wire: beat.synced, field: "synced"),
                applied: try LSN(wire: beat.applied, field: "applied"))
        case .confirm(let round): body = .confirm(round: round.number)
        case .confirmed(let round): body = .confirmed(round: round.number)
        case .handOver(let handOver): body = .handOver(through: try LSN(wire: handOver.through, field: "through"))
        case .stale: body = .stale
        case .working: body = .working
        case .stranded(let stranded): body = .stranded(seats: stranded.seats)
        case .fetch(let table): body = .fetch(try EpochTable(table))
        case .adopt(let adopt): body = .adopt(try WitnessChoice(adopt.witness))
        case .adopted(let adopted):
            body = .adopted(
                try WitnessChoice(adopted.witness),
                registerVersion: try UInt64(counted: adopted.registerVersion, field: "register_version"))
        case .part, .partsTaken, nil: throw MalformedMessage(field: "body")
        }
        let session = UniqueNumber(process: wire.sessionProcess, counter: wire.sessionCounter)
        let epoch = try Epoch(wire: wire.epoch, field: "epoch")
        self.init(
            Message(epoch, session, body), frames: frames, chain: chain, pair: pair, process: process,
            stamp: wire.stamp)
    }

    /// Whole, valid and consecutive frames, or nothing.
    private static func split(_ data: Data) throws(MalformedMessage) -> [EntryFrame] {
        var frames: [EntryFrame] = []
        var sound = true
        data.withUnsafeBytes { bytes in
            var rest = UnsafeRawBufferPointer(rebasing: bytes[...])
            while !rest.isEmpty, sound {
                guard let frame = try? EntryFrame.decode(rest), frame.isCountable,
                    follows(frame.position, frames.last?.position)
                else {
                    sound = false
                    return
                }
                frames.append(frame)
                rest = UnsafeRawBufferPointer(rebasing: rest[frame.bytes.count...])
            }
        }
        guard sound else { throw MalformedMessage(field: "frames") }
        return frames
    }

    private static func follows(_ position: Position, _ last: Position?) -> Bool {
        guard let last else { return true }
        return position.lsn == last.lsn.next && position.epoch >= last.epoch
    }
}

extension Run {
    package init(_ frames: [EntryFrame]) {
        self = .empty
        for frame in frames { append(frame.position) }
    }
}

extension RandomID {
    /// From exactly 16 big-endian bytes.
    package init(_ bytes: Data, field: String) throws(MalformedMessage) {
        guard bytes.count == 16 else { throw MalformedMessage(field: field) }
        self = bytes.withUnsafeBytes { raw in
            RandomID(
                high: UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// 16 big-endian bytes.
    package var bytes: Data { withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Data($0) } }
}

extension NodeName {
    package init(wire name: String, field: String = "node") throws(MalformedMessage) {
        guard let node = NodeName(rawValue: name) else { throw MalformedMessage(field: field) }
        self = node
    }
}
