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
            let witness = someWitness()
            witness.crash()
            let rebooted = random.chance(30)
            after(someTime(2_000_000)) { self.revive(witness, rebooted: rebooted) }
        case .witnessUnreachable:
            let witness = someWitness()
            for node in nodes where random.chance(60) {
                note("\(node.name) can't reach witness \(witness.id.low)")
                witness.unreachable[node.name] = true
                witness.disconnect(node, noticedWithin: 500_000)
                after(someTime(2_000_000)) { witness.unreachable[node.name] = false }
            }
        case .witnessSlow:
            let witness = someWitness()
            witness.slow = random.within(100_000...1_000_000)
            after(1_000_000) { witness.slow = 0 }
        case .witnessMoves:
            let address = Int(random.below(2))
            for node in nodes where random.chance(70) { node.dialWitness(at: address) }
            for _ in 0..<5 { after(someTime(2_000_000)) { self.adopt() } }
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

    /// The one that counts, mostly.
    private func someWitness() -> SimulatedWitness {
        random.chance(80) ? witness(of: someNode()) : witnesses[Int(random.below(2))]
    }

    private func revive(_ witness: SimulatedWitness, rebooted: Bool) {
        if witness.witness == nil { witness.start(rebooted: rebooted) }
    }

    /// Somebody asks both nodes to move the register to the witness that they dial.
    private func adopt() {
        for node in nodes where node.replica?.serves == true && !node.paused { node.adoptWitness() }
    }

    /// What a careful person does: where nobody leads, first look for a witness that still has a register that a node
    /// goes by; where the two don't agree, have one adopted.
    private func mendWitness() {
        let leader = nodes.first { $0.replica?.serves == true }
        let goodBy = nodes.sorted { $0.record.witness.number > $1.record.witness.number }
            .first { witness(of: $0).syncedRegister?.version ?? 0 >= $0.record.register.version }
        guard let home = leader ?? goodBy, let address = witnesses.firstIndex(where: { $0 === witness(of: home) })
        else { return }
        for node in nodes { node.dialWitness(at: address) }
        switch leader?.replica?.failoverObstacle {
        case .witnessRefuses, .witnessesDiffer: adopt()
        default: break
        }
    }

    private func keepMending() {
        mendWitness()
        after(300_000) { self.keepMending() }
    }

    /// Two losses at once, in the midst of a move to another witness: the register was on its way and the node that
    /// carried it died, or that node died solo and then the witness, which only it goes by, was rebooted. Nobody may
    /// claim then, and only a person can say that the other node is off.
    var needsPerson: Bool {
        !nodes.contains { $0.replica?.serves == true }
            && (nodes[0].record.witness != nodes[1].record.witness
                || nodes.contains { witness(of: $0).syncedRegister?.version ?? 0 < $0.record.register.version })
    }

    /// Everything works again; what is slow just now may still take its time.
    func heal() {
        note("all is well again")
        healed = true
        profile.calm()
        link.broken = false
        for witness in witnesses {
            witness.slow = 0
            revive(witness, rebooted: false)
        }
        for node in nodes {
            release(node.name)
            for witness in witnesses { witness.unreachable[node.name] = false }
            (node.slowDiskUntil, node.slowDatabaseUntil) = (0, 0)
            node.setClock(rate: 100)
            node.resume()
            node.start()
        }
        keepMending()
    }
}

extension SimulatedNode {
    func dialWitness(at address: Int) {
        guard address != witnessAddress else { return }
        world.witnesses[witnessAddress].disconnect(self, noticedWithin: 5_000)
        witnessAddress = address
    }

    func adoptWitness() {
        step("adopt") { $0.adoptWitness(self.world.witnesses[self.witnessAddress].id).effects }
    }

    func switchOver() {
        step("switch over") { replica in
            let (_, effects) = replica.switchOver()
            return effects
        }
    }
}
