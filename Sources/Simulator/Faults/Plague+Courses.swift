import Replication

// Courses of several faults, each of them the usual ones, in an order that chance alone brings too rarely.
extension Plague {
    func strikeCourse(_ kind: Fault.Kind, _ random: inout SeededRandom) -> Bool {
        guard let leader = world.nodes.first(where: { $0.replica?.serves == true }) else { return false }
        switch kind {
        case .splitSeats: splitSeats(leader, &random)
        case .deafen: deafen(leader, &random)
        default: failMains(leader, &random)
        }
        return true
    }

    /// Whoever leads loses the other node and the witness, and keeps some seats, to which it goes on being the primary:
    /// it must not answer them while another answers the rest.
    private func splitSeats(_ leader: SimulatedNode, _ random: inout SeededRandom) {
        let (one, other) = (leader.host, leader.other.host)
        let kept = world.seats.map(\.host).filter { _ in random.chance(50) }
        let time = random.within(500_000_000...5_000_000_000)
        note("\(one) is alone with \(kept)")
        let away = world.seats.map(\.host).filter { !kept.contains($0) }
        cut([(one, other)] + witnesses(of: one) + kept.map { (other, $0) }, for: time)
        if random.chance(50) { cut(away.map { (one, $0) }, for: time) }
        // Its log's end has to be cut off then; that may take long, and be interrupted.
        if random.chance(50) {
            let latency = random.within(100_000_000...900_000_000)
            later(time) { leader.process?.log.slow = (self.world.now + 2_000_000_000, latency) }
        }
        if random.chance(30) {
            later(time + random.below(1_000_000_000)) {
                self.world.network.breakConnections(between: one, and: other)
            }
        }
    }

    /// The standby hears nothing of a primary that hears it, and claims; perhaps in the middle of a hand-over, or
    /// before the register says again that the two are paired.
    private func deafen(_ leader: SimulatedNode, _ random: inout SeededRandom) {
        let (one, other) = (leader.host, leader.other.host)
        let time = random.within(350_000_000...1_500_000_000)
        note("\(other) is about to hear nothing of \(one)")
        if random.chance(50) { cut(witnesses(of: one), for: time + 1_000_000_000) }
        if random.chance(50) { world.network.breakConnections(between: one, and: other) }
        if random.chance(50) { slow(from: other, to: one, by: random.within(50_000_000...250_000_000), for: time) }
        // So that a hand-over does not end before.
        let latency = random.within(100_000_000...900_000_000)
        leader.other.process?.log.slow = (world.now + time, latency)
        let handsOver = random.chance(50)
        let breaks = random.chance(30)
        later(random.below(600_000_000)) {
            if handsOver { _ = leader.process?.switchOver() }
            if breaks { return self.world.network.breakConnections(between: one, and: other) }
            for route in 0..<Network.routes { self.block(.cutLinks, one, other, route, time) }
        }
    }

    /// Both nodes lose their power while the leader's disk lags behind the other's, and come back together: the one
    /// that the register names has to fetch what it lacks, over a path that may be slow, or break.
    private func failMains(_ leader: SimulatedNode, _ random: inout SeededRandom) {
        let (one, other) = (leader.host, leader.other.host)
        note("the mains are about to fail, and \(one)'s disk is slow")
        leader.process?.log.slow = (world.now + 1_000_000_000, 5_000_000_000)
        let isSlow = random.chance(70)
        let delay = random.within(20_000_000...400_000_000)
        let back = random.within(200_000_000...1_500_000_000)
        let apart = [random.below(60_000_000), random.below(60_000_000)]
        let trouble = random.below(4)
        let troubleAfter = random.below(900_000_000)
        later(random.within(20_000_000...300_000_000)) {
            for (node, later) in zip(self.world.nodes, apart) where node.anyProcess != nil {
                node.cutPower(node === leader ? .everything : .nothing)
                self.restart(node, after: back + later)
            }
            if isSlow {
                self.slow(from: other, to: one, by: delay, for: back + 2_000_000_000)
                self.slow(from: one, to: other, by: delay, for: back + 2_000_000_000)
            }
            self.later(back + troubleAfter) {
                switch trouble {
                case 0: self.world.network.breakConnections(between: one, and: other)
                case 1: self.cut([(one, other)], for: 1_000_000_000)
                default: break
                }
            }
        }
    }

    /// Unless something that was promised to be kept is gone by then.
    private func later(_ delay: UInt64, _ action: @escaping () -> Void) {
        after(delay) { if self.wounded == nil { action() } }
    }

    private func witnesses(of host: Host) -> [(Host, Host)] { [(host, .witness(0)), (host, .witness(1))] }

    private func cut(_ links: [(Host, Host)], for time: UInt64) {
        for (from, to) in links {
            for route in 0..<Network.routes {
                block(.cutLinks, from, to, route, time)
                block(.cutLinks, to, from, route, time)
            }
        }
    }
}
