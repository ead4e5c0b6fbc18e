import Replication

// What a disk had promised to keep, and does not. Before that everything is mended and the pair is whole again: else it
// would be the second loss, and then nobody promises anything. Until it is overcome nothing happens to anybody else.
extension Plague {
    func wound(_ fault: Fault, _ random: inout SeededRandom) -> Bool {
        guard wounded == nil else { return false }
        var random = random
        let node = random.pick(world.nodes)
        let isOfWitness =
            switch fault.kind {
            case .flipWitness, .wipeWitness, .putBackWitness, .moveWitness: true
            default: false
            }
        if fault.kind == .forcedAct { return forcedAct(node, random) }
        let host = isOfWitness ? world.witnesses[0].host : node.host
        begin(wound: host)
        world.mend()
        wait(for: 60_000_000_000, whole()) {
            self.inflict()
            self.note("\(fault.kind) at \(host)")
            if isOfWitness { self.wound(fault.kind, witness: &random) } else { self.wound(fault.kind, node, &random) }
        }
        return true
    }

    /// The pair has been whole for a second.
    func whole(_ tend: @escaping () -> Void = {}) -> () -> Bool {
        var since: UInt64?
        return {
            tend()
            guard self.world.isWhole else {
                since = nil
                return false
            }
            since = since ?? self.world.now
            return self.world.now - (since ?? 0) >= 1_000_000_000
        }
    }

    /// Looks from time to time whether the time has come.
    func wait(for limit: UInt64, _ isReady: @escaping () -> Bool, then action: @escaping () -> Void) {
        guard !isOver else { return }
        if isReady() { return action() }
        guard limit > 0 else { return world.fail("LIVENESS: all is mended, and the pair is not whole") }
        after(50_000_000) { self.wait(for: limit - 50_000_000, isReady, then: action) }
    }

    func recover(_ tend: @escaping () -> Void = {}) {
        wait(for: 80_000_000_000, whole(tend)) { self.overcome() }
    }

    // MARK: nodes

    private func wound(_ kind: Fault.Kind, _ node: SimulatedNode, _ random: inout SeededRandom) {
        guard node.process != nil else { return overcome() }
        switch kind {
        case .failSync:
            node.disk.nextSyncFails = true
            after(3_000_000_000) { self.tend(node) }
        case .wipe:
            node.end()
            node.disk.replace(with: [:])
            node.isTampered = true
            world.ledger.forgets(node.name)
            after(random.within(10_000_000...2_000_000_000)) { self.tend(node) }
        case .putBack:
            guard let copy = copies[node.host] else { return overcome() }
            node.end()
            node.disk.replace(with: copy)
            node.isTampered = true
            world.ledger.forgets(node.name)
            after(random.within(10_000_000...2_000_000_000)) { self.tend(node) }
        default:
            damage(kind, node, &random)
            node.isTampered = true
            // It is noticed when it is read; or somebody looks at the disk some time later, and reseeds.
            after(random.within(1_000_000...3_000_000_000)) { self.restartWounded(node) }
        }
    }

    private func damage(_ kind: Fault.Kind, _ node: SimulatedNode, _ random: inout SeededRandom) {
        let all = node.disk.paths(below: node.disk.root)
        let logs = all.filter { $0.hasSuffix(".segment") }
        let databases = all.filter { $0.hasSuffix(".sqlite") && !$0.contains("outgoing") }
        switch kind {
        case .flipLog: node.disk.flip(random.pick(logs), &random)
        case .flipDatabase: node.disk.flip(random.pick(databases), &random)
        default: node.disk.misdirect(random.pick(random.chance(50) ? logs : databases), &random)
        }
    }

    private func restartWounded(_ node: SimulatedNode) {
        if node.process != nil {
            note("\(node.name) is killed")
            node.end()
        }
        if node.isDown { node.start() }
        let isWhole = whole { if node.isDown { node.start() } }
        wait(for: 80_000_000_000, { self.isEnded(node) || isWhole() }) {
            if node.isTampered, !self.isEnded(node) { self.reseed(node) }
            self.tend(node)
        }
    }

    private func reseed(_ node: SimulatedNode) {
        note("\(node.name) is reseeded")
        node.reseed()
    }

    private func isEnded(_ node: SimulatedNode) -> Bool { if case .ended = node.state { true } else { false } }

    /// Starts it; once it is level its disk is what the pair knows.
    private func tend(_ node: SimulatedNode) {
        recover { self.tendOnce(node) }
    }

    /// What the runbook says to do about a node that has ended: once the other leads it is reseeded. Where the register
    /// lets only the ended one lead, a person has the other do it: to reseed before would be to lose both copies.
    private func tendOnce(_ node: SimulatedNode) {
        if node.isDown { node.start() }
        guard isEnded(node) else { return }
        if node.other.replica?.serves == true { return reseed(node) }
        leaderless += 1
        if leaderless > 40 { node.other.force(.promote) }
    }

    // MARK: the witness

    private func wound(_ kind: Fault.Kind, witness random: inout SeededRandom) {
        let witness = world.witnesses[0]
        switch kind {
        case .flipWitness:
            witness.end()
            witness.isTampered = true
            for path in witness.disk.paths(below: witness.disk.root) {
                for _ in 0...random.below(3) { witness.disk.flip(path, &random) }
            }
        case .wipeWitness:
            witness.end()
            witness.wipe()
        case .putBackWitness:
            witness.cutPower(.some)
            if let copy = copies[witness.host] { witness.disk.replace(with: copy) }
        default:
            // A person moves the pair to another witness, or back.
            let to: Host = world.nodes[0].witness == .witness(0) ? .witness(1) : .witness(0)
            for node in world.nodes {
                node.witness = to
                node.process?.arbiter.move(to: to)
            }
        }
        after(random.within(10_000_000...3_000_000_000)) {
            witness.start()
            self.recover { self.world.adoptIfNeeded() }
        }
    }
}

extension World {
    /// `twinline witness adopt`, if the one that answers is not the pair's own, or knows nothing of it.
    func adoptIfNeeded() {
        let host = nodes[0].witness
        guard let id = witnesses[host.number - 2].process?.core.record.id else { return }
        for node in nodes {
            guard let replica = node.replica, replica.serves else { continue }
            let isStrange = replica.foreignWitness != nil || replica.arbiter.refusal == .unknownPair
            guard isStrange || replica.failoverObstacle == .witnessesDiffer else { continue }
            node.process?.step("witness adopt") { _ = $0.adoptWitness(id) }
        }
    }
}

extension SimulatedDisk {
    /// A bit changes by itself.
    func flip(_ path: String, _ random: inout SeededRandom) {
        guard let file = files[path], !file.bytes.isEmpty else { return }
        // Mostly where something is.
        var byte = Int(random.below(UInt64(file.bytes.count)))
        for _ in 0..<20 where file.bytes[byte] == 0 { byte = Int(random.below(UInt64(file.bytes.count))) }
        file.flip(bit: byte * 8 + Int(random.below(8)))
    }

    /// What belonged in one place is written to another one, too.
    func misdirect(_ path: String, _ random: inout SeededRandom) {
        guard let file = files[path], file.bytes.count > 8192 else { return }
        let blocks = UInt64(file.bytes.count / 4096)
        let (from, to) = (Int(random.below(blocks)) * 4096, Int(random.below(blocks)) * 4096)
        let block = Array(file.bytes[from..<from + 4096])
        block.withUnsafeBytes { file.write($0, at: to) }
        file.sync()
    }
}
