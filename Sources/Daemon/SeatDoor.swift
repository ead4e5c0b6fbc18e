import Engine
import Logging
import NIOCore
import NIOPosix
import Replication
import Synchronization
import Transport
import Wire

/// A node's listening sockets: seats and the other node come in here. Before the node runs, they find a door that says
/// so.
final class SeatDoor: Sendable {
    private enum State: Sendable {
        /// Not yet open: connections are refused, and come again.
        case closed
        case unformatted(@Sendable (FormatRequest) -> Void)
        case open(NodeService, SeatLoops, NIOLoopBound<PeerLink>)
    }

    /// `twinline init` wants this data directory to become that of a pair.
    struct FormatRequest: Sendable {
        let file: NodeFile
        let done: @Sendable () -> Void
    }

    let loops: [any EventLoop]
    /// Where the node's own work is done.
    var core: any EventLoop { loops[0] }
    private let settings: NodeSettings
    private let certificates: CertificateWatch
    private let state = Mutex(State.closed)
    private let listener = Mutex<Listener?>(nil)

    init(
        _ settings: NodeSettings, _ certificates: CertificateWatch, log: Logger, group: MultiThreadedEventLoopGroup
    ) async throws {
        self.settings = settings
        self.certificates = certificates
        loops = (0..<settings.loops).map { _ in group.next() }
        let bound = try await Listener.bind(
            settings.listen, on: group, try certificates.connections(.server, [.seat, .node]),
            refused: { address, error in
                log.info(
                    "refused a connection",
                    metadata: [
                        "from": "\(address.map { "\($0)" } ?? "?")", "because": "\(error)",
                    ])
            },
            accept: { channel, identity, proto throws(PeerFault) in try self.accept(channel, identity, proto) })
        listener.withLock { $0 = bound }
        for address in bound.addresses { log.info("listening", metadata: ["address": "\(address)"]) }
    }

    func close() async {
        let bound = listener.withLock { listener in
            defer { listener = nil }
            return listener
        }
        await bound?.close()
    }

    func open(_ service: NodeService, _ seats: SeatLoops, _ link: NIOLoopBound<PeerLink>) {
        state.withLock { $0 = .open(service, seats, link) }
    }

    private func accept(
        _ channel: any Channel, _ identity: Identity, _ proto: ApplicationProtocol
    ) throws(PeerFault) {
        do {
            switch (state.withLock { $0 }, proto) {
            case (.open(let service, let seats, _), .seat):
                let loop = seats.index(of: channel.eventLoop)
                try channel.pipeline.syncOperations.addHandler(IdleStateHandler(readTimeout: SeatHandler.patience))
                try channel.pipeline.syncOperations.addHandler(
                    SeatHandler(
                        channel, loop: loop, identity: identity, service: service, roster: seats.roster(loop)))
            case (.open(_, _, let link), .node):
                guard identity.role == .node(settings.node.other) else {
                    throw PeerFault.wrongRole(identity.role, expected: "node/\(settings.node.other)")
                }
                try PeerLink.accept(channel, link)
            case (.unformatted(let format), .seat):
                try channel.pipeline.syncOperations.addHandler(
                    FormatHandler(channel, identity, settings, certificates, format: format))
            default:
                throw PeerFault.notAdmitted("this node is not running yet")
            }
        } catch let fault as PeerFault {
            throw fault
        } catch {
            throw .notAdmitted("\(error)")
        }
    }

    /// Nil: asked to stop first.
    func waitForFormat(_ stopper: Stopper) async -> FormatRequest? {
        let (requests, continuation) = AsyncStream.makeStream(of: FormatRequest?.self)
        state.withLock { $0 = .unformatted { continuation.yield($0) } }
        stopper.whenRequested { continuation.yield(nil) }
        for await request in requests {
            state.withLock { $0 = .closed }
            return request
        }
        return nil
    }
}

/// A connection to a node that has no data yet: says so, and takes the order to format.
private final class FormatHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let channel: any Channel
    private let identity: Identity
    private let settings: NodeSettings
    private let certificates: CertificateWatch
    private let format: @Sendable (SeatDoor.FormatRequest) -> Void

    init(
        _ channel: any Channel, _ identity: Identity, _ settings: NodeSettings, _ certificates: CertificateWatch,
        format: @escaping @Sendable (SeatDoor.FormatRequest) -> Void
    ) {
        self.channel = channel
        self.identity = identity
        self.settings = settings
        self.certificates = certificates
        self.format = format
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let message: Twinline_Seat_V1_SeatMessage = try? decoded(Array(unwrapInboundIn(data).readableBytesView))
        else { return context.close(promise: nil) }
        switch message.body {
        case .status:
            var reply = Twinline_Seat_V1_NodeMessage()
            reply.status.pair = settings.pair
            reply.status.node = settings.node.rawValue
            reply.status.unformatted = true
            reply.status.standing.role = .starting
            reply.status.version = twinlineVersion
            reply.status.describe(certificates.own, at: wallClockNow())
            channel.send(reply)
        case .operation(let operation) where operation.kind == .format: take(operation.format)
        case .hello:
            var reply = Twinline_Seat_V1_NodeMessage()
            reply.welcome.standing.role = .starting
            channel.send(reply)
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func take(_ wire: Twinline_Seat_V1_Format) {
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

/// What a new pair begins with: node a is named, nobody leads yet, and a claims its next epoch by rule R6.
package func firstRegister(_ disks: PerNode<RandomID>) -> Register {
    Register(
        version: 1, epoch: Epoch(1), primary: .a, mode: .paired, disks: disks, starts: PerNode(a: 0, b: 0), floor: .zero
    )
}
