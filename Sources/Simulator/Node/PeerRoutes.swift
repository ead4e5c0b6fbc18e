import Replication
import Wire

/// All connections to the other node as one link, as the daemon's `PeerLink` keeps them: each node dials each route of
/// the other; what is sent goes over one of them, heartbeats over all. One that falls silent while another still brings
/// heartbeats is left.
final class PeerRoutes: ConnectionOwner {
    private struct Route {
        var isDialling = false
        var isConnected = false
        var failures: UInt64 = 0
        var isRefused = false
    }

    private struct Link {
        let connection: Connection
        /// Of this side's dialling; nil: the other node has dialled.
        let route: Int?
        var hasGreeted = false
        var heardAt: Instant
    }

    private unowned let process: NodeProcess
    private let peer: Host
    private let heartbeat: UInt64
    private var routes = [Route](repeating: Route(), count: Network.routes)
    /// Those whose peer has said hello; the first is in use.
    private var links: [Link] = []
    private var pending: [Link] = []
    private var peerProcess: UInt64 = 0
    private var isDown = true
    private var isLookPlanned = false

    init(_ process: NodeProcess) {
        self.process = process
        peer = .node(process.name.other)
        heartbeat = process.world.profile.timings.heartbeat
    }

    func start() { for route in routes.indices { dial(route) } }

    func send(_ envelope: PeerEnvelope, everywhere: Bool) {
        guard !links.isEmpty else { return }
        let bytes = encoded(Twinline_Node_V1_PeerMessage(envelope))
        for link in links.prefix(everywhere ? .max : 1) { link.connection.send(bytes, by: self) }
        if everywhere { closeSilent() }
    }

    // MARK: dialling

    private func dial(_ route: Int) {
        guard process.isAlive, !routes[route].isDialling, !routes[route].isConnected else { return }
        routes[route].isDialling = true
        process.world.network.dial(from: process.host, to: peer, route: route, self) { result in
            self.process.run { self.dialled(route, result) }
        }
    }

    private func dialled(_ route: Int, _ result: Network.DialResult) {
        routes[route].isDialling = false
        guard case .connected(let connection) = result else {
            if case .refused = result { routes[route].isRefused = true }
            if case .rejected = result { routes[route].failures = max(routes[route].failures, 6) }
            return failed(route)
        }
        routes[route].isConnected = true
        var link = Link(connection: connection, route: route, heardAt: process.now)
        greet(&link)
        pending.append(link)
    }

    private func failed(_ route: Int) {
        routes[route].failures += 1
        // Soon at first: a restarted process is back within milliseconds.
        process.after(milliseconds: min(5 << min(routes[route].failures, 6), 250)) { self.dial(route) }
        if links.isEmpty, routes.allSatisfy(\.isRefused) { process.step("peer refused") { $0.peerRefused() } }
    }

    func accept(_ connection: Connection) -> (any ConnectionOwner)? {
        guard links.count + pending.count < 2 * routes.count + 8 else { return nil }
        pending.append(Link(connection: connection, route: nil, heardAt: process.now))
        return self
    }

    private func greet(_ link: inout Link) {
        var hello = PeerEnvelope(process.engine.replica.hello, pair: process.world.pair)
        hello.process = process.number
        link.hasGreeted = true
        link.connection.send(encoded(Twinline_Node_V1_PeerMessage(hello)), by: self)
    }

    // MARK: arrivals

    func received(_ bytes: [UInt8], on connection: Connection) {
        process.run { self.take(bytes, on: connection) }
    }

    private func take(_ bytes: [UInt8], on connection: Connection) {
        guard let wire: Twinline_Node_V1_PeerMessage = try? decoded(bytes), let envelope = try? PeerEnvelope(wire)
        else { return process.world.fail("\(process.host) can't read what the other node said") }
        if let index = pending.firstIndex(where: { $0.connection === connection }) { admit(index, envelope) }
        guard let index = links.firstIndex(where: { $0.connection === connection }) else { return }
        links[index].heardAt = process.now
        process.peerSaid(envelope)
        if connection !== links.first?.connection { planLook() }
    }

    private func admit(_ index: Int, _ envelope: PeerEnvelope) {
        guard case .hello(let hello) = envelope.message.body, envelope.pair == process.world.pair,
            hello.node == process.name.other
        else { return process.world.fail("\(process.host) hears no hello from the other node") }
        var link = pending.remove(at: index)
        guard isPeer(envelope.process) else { return refuse(link) }
        peerProcess = envelope.process
        if !link.hasGreeted { greet(&link) }
        link.heardAt = process.now
        links.append(link)
        for route in routes.indices { (routes[route].isRefused, routes[route].failures) = (false, 0) }
        guard isDown else { return }
        isDown = false
        process.step("peer connected") { $0.peerConnected() }
    }

    /// Whether this is the process that the other node is: it is replaced once nothing is heard of it any more.
    private func isPeer(_ number: UInt64) -> Bool {
        guard number != peerProcess, !links.isEmpty else { return true }
        if links.contains(where: { silence(of: $0) <= 10 * heartbeat }) { return false }
        for link in links { refuse(link) }
        return true
    }

    private func refuse(_ link: Link) {
        link.connection.close(by: self)
        if let route = link.route { routes[route].failures = max(routes[route].failures, 6) }
        ended(link.connection)
    }

    func closed(_ connection: Connection) { process.run { self.ended(connection) } }

    private func ended(_ connection: Connection) {
        let wasGreeted = !pending.contains { $0.connection === connection }
        let all = links + pending
        guard let link = all.first(where: { $0.connection === connection }) else { return }
        pending.removeAll { $0.connection === connection }
        let wasCurrent = links.first?.connection === connection
        links.removeAll { $0.connection === connection }
        if let route = link.route { lost(route, wasGreeted) }
        if links.isEmpty, !isDown {
            isDown = true
            process.step("peer disconnected") { $0.peerDisconnected() }
            for route in routes.indices {
                routes[route].isRefused = false
                dial(route)
            }
        } else if wasCurrent, !links.isEmpty {
            process.step("route changed") { $0.peerRouteChanged() }
        }
    }

    private func lost(_ route: Int, _ wasGreeted: Bool) {
        routes[route].isConnected = false
        if wasGreeted { return dial(route) }
        routes[route].isRefused = false
        failed(route)
    }

    // MARK: silence

    private func silence(of link: Link) -> UInt64 {
        let now = process.now.nanoseconds
        return link.heardAt.nanoseconds < now ? (now - link.heardAt.nanoseconds) / 1_000_000 : 0
    }

    private func planLook() {
        let patience = heartbeat * 4 / 5
        guard !isLookPlanned, let current = links.first, silence(of: current) > patience else { return }
        isLookPlanned = true
        process.after(milliseconds: max(heartbeat / 4, 5)) {
            self.isLookPlanned = false
            self.look(patience)
        }
    }

    private func look(_ patience: UInt64) {
        guard let current = links.first, silence(of: current) > patience,
            let other = links.firstIndex(where: { silence(of: $0) <= heartbeat })
        else { return }
        links.swapAt(0, other)
        process.step("route changed") { $0.peerRouteChanged() }
    }

    /// One that others outlive is dialled anew.
    private func closeSilent() {
        guard links.contains(where: { silence(of: $0) <= 2 * heartbeat }) else { return }
        for link in links where silence(of: link) > 10 * heartbeat {
            link.connection.close(by: self)
            // Not within the step that is under way.
            process.after(nanoseconds: 0) { self.ended(link.connection) }
        }
    }
}
