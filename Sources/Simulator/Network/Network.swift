/// The paths between the hosts, over two routes, and the connections on them.
final class Network {
    unowned let world: World
    let hosts: Int
    static let routes = 2

    struct Path {
        /// Nothing passes.
        var isCut = false
        /// Nothing passes for now.
        var isClogged = false
        /// Every packet takes so much longer, in nanoseconds.
        var extra: UInt64 = 0
    }

    enum DialResult { case connected(Connection), refused, rejected, noAnswer }
    /// Nil: the process there lets nobody in now.
    typealias Listener = (Connection) -> (any ConnectionOwner)?

    private var paths: [Path]
    private var listeners: [Listener?]
    private var powered: [Bool]
    /// Of hosts whose process does not get to run: the system lets connections in, and nobody shakes hands.
    var frozen: [Bool]
    /// Of hosts whose certificates have expired.
    private var expired: [Bool]
    private var connections: [Connection] = []
    private var count = 0
    private var random: SeededRandom

    init(_ world: World, hosts: Int, _ random: SeededRandom) {
        (self.world, self.hosts, self.random) = (world, hosts, random)
        paths = Array(repeating: Path(), count: hosts * hosts * Self.routes)
        listeners = Array(repeating: nil, count: hosts)
        powered = Array(repeating: true, count: hosts)
        frozen = Array(repeating: false, count: hosts)
        expired = Array(repeating: false, count: hosts)
    }

    private func index(_ from: Host, _ to: Host, _ route: Int) -> Int {
        (from.number * hosts + to.number) * Self.routes + route
    }

    // MARK: paths

    func delay(from: Host, to: Host, _ route: Int) -> UInt64 {
        random.draw(world.profile.network) + paths[index(from, to, route)].extra
    }

    func isBlocked(from: Host, to: Host, _ route: Int) -> Bool {
        let path = paths[index(from, to, route)]
        return path.isCut || path.isClogged
    }

    func isPowered(_ host: Host) -> Bool { powered[host.number] }

    func change(from: Host, to: Host, _ route: Int, _ change: (inout Path) -> Void) {
        change(&paths[index(from, to, route)])
        pump()
    }

    /// Every path is as good as new.
    func heal() {
        for index in paths.indices { paths[index] = Path() }
        for index in expired.indices { expired[index] = false }
        pump()
    }

    /// Nothing passes from it to anybody any more, or nothing to it.
    func silence(_ host: Host, towardsIt: Bool) {
        for other in 0..<hosts where other != host.number {
            for route in 0..<Self.routes {
                let (from, to) = towardsIt ? (other, host.number) : (host.number, other)
                paths[(from * hosts + to) * Self.routes + route].isCut = true
            }
        }
    }

    private func pump() {
        for connection in connections { for side in 0...1 { connection.pump(side) } }
    }

    // MARK: hosts

    func listen(_ host: Host, _ listener: @escaping Listener) { listeners[host.number] = listener }

    /// The system of a dead process closes its connections.
    func processDied(_ host: Host) {
        listeners[host.number] = nil
        each(of: host) { connection, side in connection.close(side) }
    }

    func powerLost(_ host: Host) {
        listeners[host.number] = nil
        powered[host.number] = false
        each(of: host) { connection, side in
            connection.vanish(side)
            // Whoever says nothing over it hears of it by the system's keep-alive.
            self.world.after(10_000_000_000) { connection.expire(1 - side) }
        }
    }

    func powerBack(_ host: Host) { powered[host.number] = true }

    func setExpired(_ host: Host, _ isExpired: Bool) {
        expired[host.number] = isExpired
        guard isExpired else { return }
        each(of: host) { connection, side in self.breakOff(connection, side) }
    }

    /// Both sides notice.
    func breakConnections(between one: Host, and other: Host) {
        each(of: one) { connection, side in
            if connection.ends[1 - side].host == other { self.breakOff(connection, side) }
        }
    }

    private func breakOff(_ connection: Connection, _ side: Int) {
        let owner = connection.ends[side].owner
        connection.close(side)
        owner?.closed(connection)
    }

    private func each(of host: Host, _ body: (Connection, Int) -> Void) {
        for connection in connections {
            for side in 0...1 where connection.ends[side].host == host && connection.ends[side].isOpen {
                body(connection, side)
            }
        }
        connections.removeAll(where: \.isDead)
    }

    // MARK: dialling

    /// - Parameter result: called in any case; a process that has died is to pass it over.
    func dial(
        from: Host, to: Host, route: Int, _ owner: any ConnectionOwner, result: @escaping (DialResult) -> Void
    ) {
        let there = delay(from: from, to: to, route)
        let back = delay(from: to, to: from, route)
        world.after(there) {
            let isOpen = !self.isBlocked(from: from, to: to, route) && !self.isBlocked(from: to, to: from, route)
            guard isOpen, self.powered[to.number], !self.frozen[to.number] else {
                return self.world.after(500_000_000) { result(.noAnswer) }
            }
            guard let listener = self.listeners[to.number] else { return self.world.after(back) { result(.refused) } }
            guard !self.expired[from.number], !self.expired[to.number] else {
                return self.world.after(back) { result(.rejected) }
            }
            self.accept(listener, from, to, route, owner, back, result)
        }
    }

    private func accept(
        _ listener: Listener, _ from: Host, _ to: Host, _ route: Int, _ owner: any ConnectionOwner, _ back: UInt64,
        _ result: @escaping (DialResult) -> Void
    ) {
        count += 1
        let connection = Connection(count, self, from: from, to: to, route: route)
        connection.begin(at: world.now + back)
        connection.set(owner: owner, of: 0)
        guard let accepted = listener(connection) else { return world.after(back) { result(.rejected) } }
        connection.set(owner: accepted, of: 1)
        if connections.count > 64 { connections.removeAll(where: \.isDead) }
        connections.append(connection)
        // One that was broken off meanwhile never came to be.
        world.after(back) { result(connection.ends[0].isOpen ? .connected(connection) : .noAnswer) }
    }

    func dismantle() {
        connections = []
        listeners = Array(repeating: nil, count: hosts)
    }
}
