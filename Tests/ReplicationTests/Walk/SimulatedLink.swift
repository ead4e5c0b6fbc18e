import Replication

/// The connection between the nodes: in order while it lasts, late as it likes; what an old one carried never arrives
/// after a new one is made.
final class SimulatedLink {
    struct Frame {
        var message: Message
        /// The entries that travel beside an `append` or a `fetched`.
        var entries: [Record]
    }
    /// Numbers connections; each node knows the one it holds open.
    var current = 0
    /// Nothing can be dialled.
    var broken = false
    /// Silence: frames to this node wait.
    var held = PerNode(a: false, b: false)
    var waiting: PerNode<Int> = PerNode(a: 0, b: 0)
    var queues: [NodeName: [(connection: Int, frame: Frame)]] = [.a: [], .b: []]
    var lastArrival = PerNode<UInt64>(a: 0, b: 0)
}

extension World {
    func send(_ frame: SimulatedLink.Frame, from name: NodeName) {
        guard let connection = self[name].connection, connection == link.current else { return }
        link.queues[name.other]?.append((connection, frame))
        let arrival = max(link.lastArrival[name.other], now + random.draw(profile.network))
        link.lastArrival[name.other] = arrival
        after(arrival - now) { self.arrive(at: name.other) }
    }

    /// The oldest frame on its way is there, unless the line is silent: then all wait for it to speak again.
    private func arrive(at name: NodeName) {
        if link.held[name] {
            link.waiting[name] += 1
            return
        }
        guard link.queues[name]?.isEmpty == false, let (connection, frame) = link.queues[name]?.removeFirst()
        else { return }
        self[name].received(frame, on: connection)
    }

    func release(_ name: NodeName) {
        link.held[name] = false
        for _ in 0..<link.waiting[name] { arrive(at: name) }
        link.waiting[name] = 0
    }

    /// Each side dials all the time; here one loop does it for both.
    func dial() {
        after(random.within(10_000...40_000)) { self.dial() }
        let open = nodes.filter { $0.connection == link.current && link.current > 0 }.count
        guard open < 2, !link.broken, !link.held.a, !link.held.b else { return }
        switch nodes.filter({ $0.replica != nil }).count {
        case 2:
            guard nodes.allSatisfy({ !$0.paused }) else { return }
            link.current += 1
            link.queues = [.a: [], .b: []]
            link.waiting = PerNode(a: 0, b: 0)
            link.lastArrival = PerNode(a: now, b: now)
            for node in nodes {
                node.closed()
                node.connected(link.current)
            }
        case 1:
            guard let alive = nodes.first(where: { $0.replica != nil }), self[alive.name.other].refuses else { return }
            alive.refused()
        default: break
        }
    }

    /// Both sides learn that the connection is gone, each in its own time; frames that come before that still count.
    func breakLink(noticedWithin limit: UInt64) {
        let connection = link.current
        for node in nodes {
            after(random.within(0...limit)) { if node.connection == connection { node.closed() } }
        }
    }
}
