import NIOCore
import Replication
import Transport
import Wire

/// A connection to a node that does not run yet: says what it waits for. One without data takes the order to format.
final class WaitingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    enum Waiting {
        case formatting(@Sendable (SeatDoor.FormatRequest) -> Void)
        case reseeding(NodeFile, ReseedView)
    }
    private let channel: any Channel
    private let identity: Identity
    private let settings: NodeSettings
    private let certificates: CertificateWatch
    private let waiting: Waiting

    init(
        _ channel: any Channel, _ identity: Identity, _ settings: NodeSettings, _ certificates: CertificateWatch,
        _ waiting: Waiting
    ) {
        self.channel = channel
        self.identity = identity
        self.settings = settings
        self.certificates = certificates
        self.waiting = waiting
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let message: Twinline_Seat_V1_SeatMessage = try? decoded(Array(unwrapInboundIn(data).readableBytesView))
        else { return context.close(promise: nil) }
        switch message.body {
        case .status: channel.send(status())
        case .operation(let operation): operate(operation)
        case .hello:
            var reply = Twinline_Seat_V1_NodeMessage()
            reply.welcome.standing.role = .starting
            // Without the pair's id a seat goes away. With a wrong one it would forget its sessions.
            if case .reseeding(let file, _) = waiting, file.pairID != .zero {
                reply.welcome.pairID = file.pairID.bytes
                reply.welcome.standing.epoch = file.record.epoch.value
            }
            channel.send(reply)
        case .beat(let beat) where beat.stamp != 0:
            var reply = Twinline_Seat_V1_NodeMessage()
            reply.beat.echo = beat.stamp
            channel.send(reply)
        default: break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func status() -> Twinline_Seat_V1_NodeMessage {
        var message = Twinline_Seat_V1_NodeMessage()
        message.status.pair = settings.pair
        message.status.node = settings.node.rawValue
        message.status.standing.role = .starting
        message.status.version = twinlineVersion
        message.status.describe(certificates.own, at: wallClockNow())
        switch waiting {
        case .formatting: message.status.unformatted = true
        case .reseeding(let file, let view):
            if file.pairID != .zero { message.status.pairID = file.pairID.bytes }
            message.status.standing.epoch = file.record.epoch.value
            message.status.reseeding = Twinline_Seat_V1_Reseeding(view.now)
        }
        return message
    }

    private func operate(_ operation: Twinline_Seat_V1_Operation) {
        switch waiting {
        case .formatting(let format) where operation.kind == .format: take(operation.format, format)
        case .formatting: channel.send(.operationAnswer(false, "this node is empty; it waits for `twinline init`"))
        case .reseeding: channel.send(.operationAnswer(false, "this node is being reseeded; nothing was changed"))
        }
    }

    private func take(
        _ wire: Twinline_Seat_V1_Format, _ format: @escaping @Sendable (SeatDoor.FormatRequest) -> Void
    ) {
        guard case .ops = identity.role else {
            return channel.send(.operationAnswer(false, "\(identity.role) may not do this; use an ops certificate"))
        }
        do throws(MalformedMessage) {
            let disks = PerNode(
                a: try RandomID(wire.diskA, field: "disk_a"), b: try RandomID(wire.diskB, field: "disk_b"))
            let record = NodeRecord(
                epoch: firstRegister(disks).epoch, claimed: firstRegister(disks).epoch, disk: disks[settings.node],
                starts: 0, register: firstRegister(disks),
                witness: WitnessChoice(try RandomID(wire.witnessID, field: "witness_id")))
            let file = NodeFile(
                pair: settings.pair, pairID: try RandomID(wire.pairID, field: "pair_id"), node: settings.node,
                record: record)
            let channel = channel
            format(SeatDoor.FormatRequest(file: file) { channel.send(.operationAnswer(true, "formatted")) })
        } catch {
            channel.send(.operationAnswer(false, "\(error)"))
        }
    }
}
