import Engine
import NIOCore
import Replication
import Tickets
import Transport
import Wire

/// A running node, as its seats' connections see it.
final class NodeService: SeatService {
    private let core: NIOLoopBound<Node>
    private let writer: WriterThread
    private let verifier: Verifier
    let pairID: RandomID

    init(core: NIOLoopBound<Node>, writer: WriterThread, verifier: Verifier, pairID: RandomID) {
        self.core = core
        self.writer = writer
        self.verifier = verifier
        self.pairID = pairID
    }

    private func onCore(_ work: @escaping @Sendable (Node) -> Void) {
        let core = core
        if core.eventLoop.inEventLoop { work(core.value) } else { core.eventLoop.execute { work(core.value) } }
    }

    /// Straight into the writer's inbox, past the core.
    func submit(_ request: PendingWrite) -> NotNow? { writer.submit(request) }

    func read(_ requests: [PendingRead]) { onCore { $0.read(requests) } }

    func status(for channel: any Channel, times: Int) {
        onCore { node in
            var message = Twinline_Seat_V1_NodeMessage()
            message.status = node.status()
            for _ in 0..<times { channel.send(message) }
        }
    }

    func operate(_ operation: Twinline_Seat_V1_Operation, by identity: Identity, for channel: any Channel) {
        guard case .ops = identity.role else {
            return channel.send(.operationAnswer(false, "\(identity.role) may not do this; use an ops certificate"))
        }
        switch operation.kind {
        case .switchover:
            onCore { node in
                node.log.notice("switchover asked for", metadata: ["by": "\(identity.role)"])
                let obstacle = node.switchOver()
                channel.send(.operationAnswer(obstacle == nil, obstacle.map { "not now: \($0)" } ?? "handing over"))
            }
        case .forceSolo: force(.solo, operation.confirmedPair, by: identity, for: channel)
        case .forcePromote: force(.promote, operation.confirmedPair, by: identity, for: channel)
        case .adoptWitness: adopt(operation.adoptWitness, by: identity, for: channel)
        case .verify: verify(operation.verify, by: identity, for: channel)
        case .format: channel.send(.operationAnswer(false, "this node holds data already; nothing was changed"))
        case .unspecified, .UNRECOGNIZED:
            channel.send(.operationAnswer(false, "this node does not know that operation"))
        }
    }

    private func force(_ act: Replica.Force, _ pair: String, by identity: Identity, for channel: any Channel) {
        onCore { node in
            guard pair == node.settings.pair else {
                let text = "this is pair \(node.settings.pair), and '\(pair)' was confirmed; nothing was changed"
                return channel.send(.operationAnswer(false, text))
            }
            let obstacle = node.force(act)
            node.log.notice(
                "asked to lead by force",
                metadata: ["by": "\(identity.role)", "obstacle": "\(obstacle.map { "\($0)" } ?? "none")"])
            channel.send(.operationAnswer(obstacle == nil, obstacle.map { "\($0)" } ?? "taking the lead"))
        }
    }

    private func adopt(_ wire: Twinline_Seat_V1_AdoptWitness, by identity: Identity, for channel: any Channel) {
        var address: SocketAddress?
        if !wire.host.isEmpty {
            guard let found = try? SocketAddress(ipAddress: wire.host, port: Int(wire.port)) else {
                return channel.send(.operationAnswer(false, "'\(wire.host)' is no numeric address"))
            }
            address = found
        }
        guard let id = try? RandomID(wire.witnessID, field: "witness_id") else {
            return channel.send(.operationAnswer(false, "the witness's id must have 16 bytes"))
        }
        onCore { [address] node in
            let obstacle = node.adoptWitness(id, at: address)
            node.log.notice(
                "asked to adopt a witness",
                metadata: [
                    "by": "\(identity.role)", "witness": "\(id)", "obstacle": "\(obstacle.map { "\($0)" } ?? "none")",
                ])
            var message = Twinline_Seat_V1_NodeMessage.operationAnswer(
                obstacle == nil, obstacle.map { "\($0)" } ?? "moving the register")
            message.operation.again = obstacle?.mayPass ?? false
            channel.send(message)
        }
    }

    private func verify(_ wire: Twinline_Seat_V1_Verify, by identity: Identity, for channel: any Channel) {
        let lsn = wire.atLsn == 0 ? nil : LSN(wire.atLsn)
        let run = verifier.begin(at: lsn, by: "\(identity.role)") { verification in
            var message = Twinline_Seat_V1_NodeMessage()
            message.verification = verification
            channel.send(message)
        }
        if let run {
            channel.closeFuture.whenComplete { _ in run.cancel() }
        } else {
            var message = Twinline_Seat_V1_NodeMessage.operationAnswer(false, "another verification is under way")
            message.operation.again = true
            channel.send(message)
        }
    }

    func sawEpoch(_ epoch: Epoch) {
        onCore { node in node.sawEpoch(epoch) }
    }
}

extension Replica.ForceObstacle: CustomStringConvertible {
    public var description: String {
        switch self {
        case .leads: "this node is the primary; if it lacks its standby: twinline force-solo"
        case .doesNotLead: "this node is not the primary; to make it one: twinline force-promote"
        case .needsNobody: "this node goes on without its standby already"
        case .otherIsThere: "the other node is alive and connected to this one; nothing has to be forced"
        case .witnessAllows: "the witness is there and lets this node go on by itself; wait a moment"
        }
    }
}

extension Replica.AdoptionObstacle: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notLeading: "this node does not lead"
        case .handingOver: "a hand-over is under way"
        case .standbyMissing: "the standby has to consent, and is not connected; start it"
        case .notConnected(let id, let found?): "witness \(found) answers this node, and not \(id)"
        case .notConnected(let id, nil): "this node does not reach witness \(id) yet"
        case .alreadyAdopted: "the pair's register lives there already"
        }
    }

    /// Without anybody's doing.
    fileprivate var mayPass: Bool {
        switch self {
        case .handingOver, .standbyMissing, .notConnected: true
        case .notLeading, .alreadyAdopted: false
        }
    }
}

extension Twinline_Seat_V1_NodeMessage {
    static func operationAnswer(_ accepted: Bool, _ text: String) -> Twinline_Seat_V1_NodeMessage {
        var message = Twinline_Seat_V1_NodeMessage()
        message.operation.accepted = accepted
        message.operation.text = text
        return message
    }
}

extension Channel {
    func send(_ message: Twinline_Seat_V1_NodeMessage) {
        let payload = encoded(message)
        var buffer = allocator.buffer(capacity: payload.count + 4)
        buffer.writeFrame(payload)
        writeAndFlush(buffer, promise: nil)
    }
}
