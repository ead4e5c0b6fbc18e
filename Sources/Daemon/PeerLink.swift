import Logging
import NIOCore
import Replication
import Transport
import Wire

/// What the link tells the node, on the node's own event loop.
protocol PeerLinkDelegate: AnyObject {
    func peerConnected()
    func peerDisconnected()
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
    private let pair: RandomID
    private let peer: NodeName
    let log: Logger
    let heartbeat: UInt64
    private var routes: [Route]
    /// Connections whose peer has said hello; the first is in use.
    var connections: [LinkConnection] = []
    /// Those whose peer has not yet said hello.
    var pending: [LinkConnection] = []
    let long: LongMessageThread
    let longQueue: LongMessageQueue
    /// A look at whether the connection in use still hears as much as another one is under way.
    var isLookPlanned = false
    private var down = true
    var closed = false

    private struct Route {
        let address: SocketAddress
        var dialling = false
        var connected = false
        var failures = 0
        /// Since the link last went down.
        var refused = false
        /// Outdates the timers of earlier attempts.
        var attempt = 0
    }

    /// - Parameter heartbeat: the milliseconds between two of the other node.
    init(
        on loop: any EventLoop, to addresses: [SocketAddress], dialer: Dialer, pair: RandomID, peer: NodeName,
        heartbeat: UInt64, long: LongMessageThread, log: Logger
    ) {
        self.loop = loop
        self.dialer = dialer
        self.pair = pair
        self.peer = peer
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
        guard let current = connections.first else { return }
        let size = envelope.frames.reduce(0) { $0 + $1.bytes.count }
        guard size < MessageParts.size, envelope.frames.isEmpty || longQueue.isEmpty else {
            return longQueue.add(envelope, on: current.channel)
        }
        let payload = encoded(Twinline_Node_V1_PeerMessage(envelope))
        guard payload.count <= MessageParts.frameLimit else { return longQueue.add(envelope, on: current.channel) }
        for connection in connections.prefix(everywhere ? .max : 1) { send(payload, on: connection.channel) }
        if everywhere { closeSilent() }
    }

    private func send(_ payload: [UInt8], on channel: any Channel) {
        var buffer = channel.allocator.buffer(capacity: payload.count + 4)
        buffer.writeFrame(payload)
        channel.writeAndFlush(buffer, promise: nil)
    }

    // MARK: connections

    /// For the listener, on the channel's own event loop: the other node has dialled.
    static func accept(_ channel: any Channel, _ link: NIOLoopBound<PeerLink>) throws {
        try install(on: channel, link, route: nil)
    }

    private static func install(on channel: any Channel, _ link: NIOLoopBound<PeerLink>, route: Int?) throws {
        let id = Int(bitPattern: ObjectIdentifier(channel))
        let core = link.eventLoop
        let ear = Ear()
        let heard = ear.heard
        try channel.pipeline.syncOperations.addHandler(ear, position: .first)
        try channel.pipeline.syncOperations.addHandler(
            FrameRelay(
                core: core,
                active: { link.value.opened(LinkConnection(id, channel, heard), route: route) },
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
        if routes[index].failures == 0 {
            log.info(
                "no connection to the other node",
                metadata: [
                    "address": "\(routes[index].address)", "reason": "\(error)",
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
        pending.append(connection)
        if let hello = delegate?.hello {
            send(encoded(Twinline_Node_V1_PeerMessage(hello)), on: connection.channel)
        }
    }

    private func received(_ bytes: [UInt8], on id: Int) {
        do throws(MalformedMessage) {
            let message: Twinline_Node_V1_PeerMessage = try decoded(bytes)
            let index = pending.firstIndex { $0.id == id }
            if index == nil, receivedLong(message, on: id) { return planLookAside(from: id) }
            let envelope = try PeerEnvelope(message)
            if let index { try admit(index, envelope) }
            delegate?.peerSaid(envelope)
            planLookAside(from: id)
        } catch {
            refuse(error, from: id)
        }
    }

    func refuse(_ error: MalformedMessage, from id: Int) {
        log.error("the other node said something impossible", metadata: ["field": "\(error.field)"])
        (connections + pending).first { $0.id == id }?.channel.close(promise: nil)
    }

    /// In TLS 1.3 a client knows that it was let in only when the server says something.
    private func admit(_ index: Int, _ envelope: PeerEnvelope) throws(MalformedMessage) {
        guard case .hello(let hello) = envelope.message.body, envelope.pair == pair, hello.node == peer else {
            throw MalformedMessage(field: "hello")
        }
        let connection = pending.remove(at: index)
        let channel = connection.channel
        let allow = { @Sendable in try? channel.pipeline.syncOperations.allowFrames(upTo: MessageParts.frameLimit) }
        // Long frames come only after a join, which is written behind this.
        if channel.eventLoop.inEventLoop { _ = allow() } else { channel.eventLoop.execute { _ = allow() } }
        connections.append(connection)
        for route in routes.indices { (routes[route].refused, routes[route].failures) = (false, 0) }
        guard down else { return }
        down = false
        delegate?.peerConnected()
    }

    private func ended(_ id: Int, route: Int?, because error: (any Error)?) {
        let wasGreeted = !pending.contains { $0.id == id }
        pending.removeAll { $0.id == id }
        let wasCurrent = connections.first?.id == id
        connections.removeAll { $0.id == id }
        long.forget(connection: id)
        if wasCurrent { longQueue.clear() }
        if let route {
            routes[route].connected = false
            if wasGreeted {
                dial(route)
            } else if !closed {
                // Somebody is there, but does not let this node in, and won't in a moment.
                routes[route].refused = false
                dialFailed(route, error ?? TransportError.truncated)
            }
        }
        if connections.isEmpty, !down {
            down = true
            log.info("lost the other node", metadata: ["reason": "\(error.map { "\($0)" } ?? "closed")"])
            delegate?.peerDisconnected()
            for route in routes.indices {
                routes[route].refused = false
                dial(route)
            }
        } else if wasCurrent, !connections.isEmpty {
            delegate?.peerRouteChanged()
        }
    }
}
