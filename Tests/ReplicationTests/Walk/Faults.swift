import Replication

extension World {
    /// One fault after another until the world is healed.
    func plague() {
        after(random.within(profile.faultEvery)) {
            guard !self.healed else { return }
            self.strike(self.profile.fault(&self.random))
            self.plague()
        }
    }

    private func someNode() -> SimulatedNode { nodes[Int(random.below(2))] }
    private func someTime(_ limit: UInt64) -> UInt64 { random.below(random.chance(50) ? limit : limit / 20) }

    private func strike(_ fault: Fault) {
        switch fault {
        case .crash: crash(someNode())
        case .crashBoth: for node in nodes { crash(node) }
        case .pause:
            let node = someNode()
            node.pause()
            after(someTime(3_000_000)) { node.resume() }
        case .breakLink:
            note("the link breaks")
            link.broken = true
            breakLink(noticedWithin: random.chance(50) ? 1_000 : 600_000)
            after(someTime(2_000_000)) { self.link.broken = false }
        case .silenceLink:
            for name in NodeName.allCases where random.chance(70) {
                note("silence towards \(name)")
                link.held[name] = true
                after(someTime(2_000_000)) { self.release(name) }
            }
        case .witnessCrash:
            witness.crash()
            let rebooted = random.chance(30)
            after(someTime(2_000_000)) { self.revive(rebooted: rebooted) }
        case .witnessUnreachable:
            for node in nodes where random.chance(60) {
                note("\(node.name) can't reach the witness")
                witness.unreachable[node.name] = true
                witness.disconnect(node, noticedWithin: 500_000)
                after(someTime(2_000_000)) { self.witness.unreachable[node.name] = false }
            }
        case .witnessSlow: witness.slow = random.within(100_000...1_000_000); after(1_000_000) { self.witness.slow = 0 }
        case .slowDisk: someNode().slowDiskUntil = now + someTime(4_000_000)
        case .slowDatabase: someNode().slowDatabaseUntil = now + someTime(4_000_000)
        case .switchOver:
            for node in nodes where node.replica?.serves == true && !node.paused { node.switchOver() }
        }
    }

    private func crash(_ node: SimulatedNode) {
        node.crash(powerCut: random.chance(profile.powerCuts))
        after(someTime(3_000_000)) { node.start() }
    }

    private func revive(rebooted: Bool) {
        if witness.witness == nil { witness.start(rebooted: rebooted) }
    }

    /// Everything works again; what is slow just now may still take its time.
    func heal() {
        note("all is well again")
        healed = true
        profile.calm()
        link.broken = false
        witness.slow = 0
        revive(rebooted: false)
        for node in nodes {
            release(node.name)
            witness.unreachable[node.name] = false
            (node.slowDiskUntil, node.slowDatabaseUntil) = (0, 0)
            node.setClock(rate: 100)
            node.resume()
            node.start()
        }
    }
}

extension SimulatedNode {
    func switchOver() {
        step("switch over") { replica in
            let (_, effects) = replica.switchOver()
            return effects
        }
    }
}
