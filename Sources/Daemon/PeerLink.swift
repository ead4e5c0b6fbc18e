import Logging
import NIOCore
import Replication
import Transport
import Wire

/// What the link tells the node, on the node's own event loop.
protocol PeerLinkDelegate: AnyObject {
    func peerConnected()
    /// - Parameter dismissed: the other node does not let this one in any more.
    func peerDisconnected(dismissed: Bool)
    /// Refused on every route since the link went down.
    func peerRefused()
    /// Frames go over another connection from now on; what was under way on the last one may be lost.
    func peerRouteChanged()
    func peerSaid(_ envelope: PeerEnvelope)
    /// A part of something long has come.
    func peerWorked()
    /// To be sent first on every connection.
    var hello: PeerEnvelope { get }
}

/// All connections to the other node as one link: each node dials each route of the other, so there are up to two for a
/// route; what is sent goes over one of them, heartbeats over all, and what comes may come over any. All on one event
/// loop.
///
/// The connection in use is left when it has missed a heartbeat that came over another one: a route whose cable is cut
/// just falls silent, and nothing says so. What was under way on it is sent again over the next.
final class PeerLink {
    weak var delegate: (any PeerLinkDelegate)?
    let loop: any EventLoop
    private let dialer: Dialer
    let pair: RandomID
    let peer: NodeName
    /// Tells this process from another one with the same certificate.
    let process: UInt64
    let log: Logger
    let heartbeat: UInt64
    var routes: [Route]
    /// Connections whose peer has said hello; the first is in use. All are of one process, `peerProcess`.
    var connections: [LinkConnection] = []
    var peerProcess: UInt64 = 0
    /// Those whose peer has not yet said hello.
    var pending: [LinkConnection] = []
    let long: LongMessageThread
    let longQueue: LongMessageQueue
    /// A look at whether the connection in use still hears as much as another one is under way.
    var isLookPlanned = false
    var down = true
    private var closed = false

    struct Route {
        let address: SocketAddress
        var dialling = false
        var connected = false
        var failures = 0
        /// The last one, as it was logged.
        var reason = ""
        /// Since the link last went down.
        var refused = false
        /// Outdates the timers of earlier attempts.
        var attempt = 0
    }

    /// - Parameter process: a random number.
    /// - Parameter heartbeat: the milliseconds between two of the other node.
    init(
        on loop: any EventLoop, to addresses: [SocketAddress], dialer: Dialer, pair: RandomID, peer: NodeName,
        process: UInt64, heartbeat: UInt64, long: LongMessageThread, log: Logger
    ) {
        self.loop = loop
        self.dialer = dialer
        self.pair = pair
        self.peer = peer
        self.process = process
        self.heartbeat = heartbeat
        self.long = long
        longQueue = LongMessageQueue(on: loop, long)
        self.log = log
        routes = addresses.map { Route(address: $0) }
    }

    func start() { for route in routes.indices { dial(route) } }

    func close() {
        closed = true
        for connection in connections + pending { connection.channel.close(promise: nil) }
    }

    var isUp: Bool { !connections.isEmpty }

    /// - Parameter everywhere: over all connections, so that each shows that it works.
    func send(_ envelope: PeerEnvelope, everywhere: Bool) {
        guard !connections.isEmpty else { return }
        let size = envelope.frames.reduce(0) { $0 + $1.bytes.count }
        guard size < MessageParts.size, envelope.frames.isEmpty || longQueue.isEmpty else {
            return sendLong(envelope)
        }
        let payload = encoded(Twinline_Node_V1_PeerMessage(envelope))
        guard payload.count <= MessageParts.frameLimit else { return sendLong(envelope) }
        for connection in connections.prefix(everywhere ? .max : 1) { send(payload, on: connection.channel) }
        if everywhere { closeSilent() }
    }

    func send(_ payload: [UInt8], on channel: any Channel) {
        var buffer = channel.allocator.buffer(capacity: payload.count + 4)
        buffer.writeFrame(payload)
        channel.writeAndFlush(buffer, promise: nil)
    }

    // MARK: connections

    /// For the listener, on the channel's own event loop: the other node has dialled.
    static func accept(
        _ channel: any Channel, of name: String, _ link: NIOLoopBound<PeerLink>, _ refusals: RefusalLog
    ) throws {
        try install(on: channel, link, route: nil) { refusals.note($0, .peerRefused($1, of: name), ended: true) }
    }

    private static func install(
        on channel: any Channel, _ link: NIOLoopBound<PeerLink>, route: Int?,
        note: @escaping LinkConnection.Note = { _, _ in }
    ) throws {
        let id = Int(bitPattern: ObjectIdentifier(channel))
        let core = link.eventLoop
        let ear = Ear()
        let heard = ear.heard
        try channel.pipeline.syncOperations.addHandler(ear, position: .first)
        try channel.pipeline.syncOperations.addHandler(
            FrameRelay(
                core: core,
                active: { link.value.opened(LinkConnection(id, channel, heard, note), route: route) },
                frame: { link.value.received($0, on: id) },
                closed: { link.value.ended(id, route: route, because: $0) }))
    }

    private func dial(_ index: Int) {
        guard !closed, !routes[index].dialling, !routes[index].connected else { return }
        routes[index].dialling = true
        routes[index].attempt += 1
        let link = NIOLoopBound(self, eventLoop: loop)
        dialer.dial(routes[index].address, on: loop, expecting: .node(peer)) { channel, _ in
            try Self.install(on: channel, link, route: index)
        }.assumeIsolated().whenComplete { result in
            self.routes[index].dialling = false
            if case .failure(let error) = result { self.dialFailed(index, error) }
        }
    }

    private func dialFailed(_ index: Int, _ error: any Error) {
        let reason = "\(error)"
        if routes[index].reason != reason {
            routes[index].reason = reason
            log.info(
                "no connection to the other node",
                metadata: [
                    "address": "\(routes[index].address)", "reason": "\(reason)",
                ])
        }
        routes[index].failures += 1
        if case .connectionRefused = error as? TransportError { routes[index].refused = true }
        // Soon at first: a restarted process is back within milliseconds.
        redial(index, after: .milliseconds(Int64(min(5 << min(routes[index].failures, 6), 250))))
        if connections.isEmpty, routes.allSatisfy(\.refused) { delegate?.peerRefused() }
    }

    private func redial(_ index: Int, after delay: TimeAmount) {
        let attempt = routes[index].attempt
        loop.assumeIsolated().scheduleTask(in: delay) {
            if self.routes[index].attempt == attempt { self.dial(index) }
        }
    }

    private func opened(_ connection: LinkConnection, route: Int?) {
        guard !closed else { return connection.channel.close(promise: nil) }
        if let route { routes[route].connected = true }
        guard connections.count + pending.count < 2 * routes.count + Self.spareConnections else {
            return connection.refuse("it has \(connections.count + pending.count) connections already")
        }
        pending.append(connection)
        // Who is dialled speaks second: it has a look at who that is first.
        if route != nil { greet(connection) }
    }

    /// Beyond one in each direction on each route: those that are dead, and not yet known to be.
    private static let spareConnections = 8

    func ended(_ id: Int, route: Int?, because error: (any Error)?) {
        let wasGreeted = !pending.contains { $0.id == id }
        pending.removeAll { $0.id == id }
        let wasCurrent = connections.first?.id == id
        connections.removeAll { $0.id == id }
        long.forget(connection: id)
        let losesEntries = wasCurrent || longQueue.connection?.id == id
        if losesEntries { longQueue.clear() }
        if let route {
            routes[route].connected = false
            let isRefusal = (error as? TransportError)?.isRefusal ?? false
            if wasGreeted, !isRefusal {
                dial(route)
            } else if !closed {
                // Somebody is there, but does not let this node in, and won't in a moment.
                routes[route].refused = false
                if isRefusal { routes[route].failures = max(routes[route].failures, 6) }
                dialFailed(route, error ?? TransportError.truncated)
            }
        }
        if connections.isEmpty, !down {
            down = true
            log.info("lost the other node", metadata: ["reason": "\(error.map { "\($0)" } ?? "closed")"])
            delegate?.peerDisconnected(dismissed: (error as? TransportError)?.isRefusalByPeer ?? false)
            for route in routes.indices {
                routes[route].refused = false
                dial(route)
            }
        } else if losesEntries, !connections.isEmpty {
            delegate?.peerRouteChanged()
        }
    }
}
