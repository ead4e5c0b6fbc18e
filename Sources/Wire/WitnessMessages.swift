import FoundationEssentials
import Replication

/// A request to the witness with what it is addressed by.
package struct WitnessEnvelope: Equatable, Sendable {
    package var pair: RandomID
    package var witness: RandomID
    package var start: UInt64
    package var request: RegisterRequest

    package init(pair: RandomID, witness: RandomID, start: UInt64, request: RegisterRequest) {
        self.pair = pair
        self.witness = witness
        self.start = start
        self.request = request
    }
}

extension Twinline_Witness_V1_WitnessRequest {
    package init(_ envelope: WitnessEnvelope) {
        self.init()
        pairID = envelope.pair.bytes
        witnessID = envelope.witness.bytes
        witnessStart = envelope.start
        (process, counter) = (envelope.request.number.process, envelope.request.number.counter)
        switch envelope.request.action {
        case .read: read = Twinline_Witness_V1_Read()
        case .compareAndSet(let version, let register):
            compareAndSet.version = version
            compareAndSet.register = Twinline_Witness_V1_Register(register)
        case .testify(let testimony):
            testify.node = testimony.node.rawValue
            testify.register = Twinline_Witness_V1_Register(testimony.register)
            testify.leads = testimony.leads
        case .install(let register): install.register = Twinline_Witness_V1_Register(register)
        }
    }
}

extension WitnessEnvelope {
    package init(_ wire: Twinline_Witness_V1_WitnessRequest) throws(MalformedMessage) {
        let action: RegisterRequest.Action
        switch wire.action {
        case .read: action = .read
        case .compareAndSet(let change):
            action = .compareAndSet(version: change.version, register: try Register(change.register))
        case .testify(let said):
            action = .testify(
                Testimony(
                    node: try NodeName(wire: said.node), register: try Register(said.register), leads: said.leads))
        case .install(let install): action = .install(try Register(install.register))
        case nil: throw MalformedMessage(field: "action")
        }
        self.init(
            pair: try RandomID(wire.pairID, field: "pair_id"),
            witness: try RandomID(wire.witnessID, field: "witness_id"), start: wire.witnessStart,
            request: RegisterRequest(
                number: UniqueNumber(process: wire.process, counter: wire.counter), action: action))
    }
}

extension Register {
    init(
        _ wire: Twinline_Witness_V1_Register, below limit: UInt64 = Count.messageLimit
    ) throws(MalformedMessage) {
        self.init(
            version: try UInt64(counted: wire.version, below: limit, field: "version"),
            epoch: try Epoch(wire: wire.epoch, below: limit, field: "epoch"),
            primary: try NodeName(wire: wire.primary, field: "primary"), mode: wire.solo ? .solo : .paired,
            disks: PerNode(
                a: try RandomID(wire.diskA, field: "disk_a"), b: try RandomID(wire.diskB, field: "disk_b")),
            starts: PerNode(a: wire.startsA, b: wire.startsB),
            floor: Position(
                try Epoch(wire: wire.floorEpoch, below: limit, field: "floor_epoch"),
                try LSN(wire: wire.floorLsn, below: limit, field: "floor_lsn")))
    }
}

extension Twinline_Witness_V1_Register {
    package init(_ register: Register) {
        self.init()
        version = register.version
        epoch = register.epoch.value
        primary = register.primary.rawValue
        solo = register.mode == .solo
        (diskA, diskB) = (register.disks.a.bytes, register.disks.b.bytes)
        (startsA, startsB) = (register.starts.a, register.starts.b)
        (floorEpoch, floorLsn) = (register.floor.epoch.value, register.floor.lsn.value)
    }
}

/// What the witness says: who it is, once, and then answers.
package enum WitnessReply: Equatable, Sendable {
    case welcome(witness: RandomID, start: UInt64)
    case answer(RegisterAnswer)
}

extension Twinline_Witness_V1_WitnessAnswer {
    package init(_ reply: WitnessReply) {
        self.init()
        switch reply {
        case .welcome(let id, let start): (welcome.witnessID, welcome.start) = (id.bytes, start)
        case .answer(let answer):
            (process, counter) = (answer.number.process, answer.number.counter)
            switch answer.outcome {
            case .current(let register): current = Twinline_Witness_V1_Register(register)
            case .won(let register): won = Twinline_Witness_V1_Register(register)
            case .lost(let register): lost = Twinline_Witness_V1_Register(register)
            case .refused(let refusal):
                refused.reason = Twinline_Witness_V1_Refused.Reason(rawValue: Int(refusal.rawValue)) ?? .unspecified
            }
        }
    }
}

extension WitnessReply {
    package init(_ wire: Twinline_Witness_V1_WitnessAnswer) throws(MalformedMessage) {
        let outcome: RegisterAnswer.Outcome
        switch wire.outcome {
        case .welcome(let welcome):
            self = .welcome(witness: try RandomID(welcome.witnessID, field: "witness_id"), start: welcome.start)
            return
        case .current(let register): outcome = .current(try Register(register))
        case .won(let register): outcome = .won(try Register(register))
        case .lost(let register): outcome = .lost(try Register(register))
        case .refused(let refused):
            guard let refusal = RegisterRefusal(rawValue: UInt8(clamping: refused.reason.rawValue)) else {
                throw MalformedMessage(field: "reason")
            }
            outcome = .refused(refusal)
        case nil: throw MalformedMessage(field: "outcome")
        }
        self = .answer(
            RegisterAnswer(
                number: UniqueNumber(process: wire.process, counter: wire.counter), outcome: outcome))
    }
}
