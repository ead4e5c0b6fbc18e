import Engine
import Logging
import NIOCore
import NIOPosix
import Planted
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
        /// The data is not this node's yet, and nobody may take it for a standby.
        case reseeding(NodeFile, ReseedView)
        case open(NodeService, SeatLoops, NIOLoopBound<PeerLink>, SnapshotKeeper)
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
    private let refusals: RefusalLog
    private let state = Mutex(State.closed)
    private let listener = Mutex<Listener?>(nil)

    init(
        _ settings: NodeSettings, _ certificates: CertificateWatch, log: Logger, group: MultiThreadedEventLoopGroup
    ) async throws {
        self.settings = settings
        self.certificates = certificates
        let refusals = RefusalLog(log)
        self.refusals = refusals
        loops = (0..<settings.loops).map { _ in group.next() }
        let bound = try await Listener.bind(
            settings.listen, on: group, try certificates.connections(.server, [.seat, .node, .copy]),
            options: Self.connectionOptions(), refused: { if !planted("refuseWithoutALine") { refusals.note($0, $1) } },
            accept: { channel, identity, proto throws(PeerFault) in try self.accept(channel, identity, proto) })
        listener.withLock { $0 = bound }
        for address in bound.addresses { log.info("listening", metadata: ["address": "\(address)"]) }
    }

    /// Of what the process may have open, strangers and any one peer get a part.
    private static func connectionOptions() -> ConnectionOptions {
        let part = OpenFiles.raiseLimit() / 4
        var options = ConnectionOptions()
        options.strangerLimit = min(options.strangerLimit, part)
        options.connectionsPerPeer = min(options.connectionsPerPeer, part)
        // Each of the protocols here begins with a word of the side that has dialled.
        if !planted("firstFrameAtAnyTime") { options.firstFrameTimeout = .seconds(10) }
        return options
    }

    func close() async {
        let bound = listener.withLock { listener in
            defer { listener = nil }
            return listener
        }
        await bound?.close()
    }

    func open(
        _ service: NodeService, _ seats: SeatLoops, _ link: NIOLoopBound<PeerLink>, _ snapshots: SnapshotKeeper
    ) {
        state.withLock { $0 = .open(service, seats, link, snapshots) }
    }

    /// Lets nobody in for a moment.
    func shut() { state.withLock { $0 = .closed } }

    func reseeding(_ file: NodeFile, _ view: ReseedView) { state.withLock { $0 = .reseeding(file, view) } }

    private func accept(
        _ channel: any Channel, _ identity: Identity, _ proto: ApplicationProtocol
    ) throws(PeerFault) {
        do {
            switch (state.withLock { $0 }, proto) {
            case (.open(let service, let seats, _, _), .seat):
                let loop = seats.index(of: channel.eventLoop)
                try channel.pipeline.syncOperations.addHandler(IdleStateHandler(readTimeout: SeatHandler.patience))
                try channel.pipeline.syncOperations.addHandler(
                    SeatHandler(
                        channel, loop: loop, identity: identity, service: service, roster: seats.roster(loop),
                        refusals: refusals))
            case (.open(_, _, let link, _), .node):
                try expectOtherNode(identity)
                try PeerLink.accept(channel, of: "\(identity)", link, refusals)
            case (.open(_, _, _, let snapshots), .copy):
                try expectOtherNode(identity)
                try snapshots.accept(channel)
            case (.unformatted(let format), .seat):
                try channel.pipeline.syncOperations.addHandler(IdleStateHandler(readTimeout: .minutes(1)))
                try channel.pipeline.syncOperations.addHandler(
                    WaitingHandler(channel, identity, settings, certificates, .formatting(format)))
            case (.reseeding(let file, let view), .seat):
                try channel.pipeline.syncOperations.addHandler(IdleStateHandler(readTimeout: SeatHandler.patience))
                try channel.pipeline.syncOperations.addHandler(
                    WaitingHandler(channel, identity, settings, certificates, .reseeding(file, view)))
            default:
                throw PeerFault.notYetReady("this node is not running yet")
            }
        } catch let fault as PeerFault {
            throw fault
        } catch {
            throw .notAdmitted("\(error)")
        }
    }

    private func expectOtherNode(_ identity: Identity) throws(PeerFault) {
        guard identity.role == .node(settings.node.other) else {
            throw .wrongRole(identity.role, expected: "node/\(settings.node.other)")
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

/// What a new pair begins with: node a is named, nobody leads yet, and a claims its next epoch by rule R6.
package func firstRegister(_ disks: PerNode<RandomID>) -> Register {
    Register(
        version: 1, epoch: Epoch(1), primary: .a, mode: .paired, disks: disks, starts: PerNode(a: 0, b: 0), floor: .zero
    )
}
