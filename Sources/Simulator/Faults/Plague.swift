import Replication

/// Makes go wrong what the seed has planned, and mends it some time later.
final class Plague {
    unowned let world: World
    let plan: [Fault]
    /// Those that found something to break, by their number.
    private(set) var applied: [Int] = []
    private let without: Set<Int>
    private var random: SeededRandom
    /// It is over: whatever is still broken is mended elsewhere.
    private(set) var isOver = false
    /// Something that was promised to be kept is gone; until it is back, nothing else happens but to its owner.
    private(set) var wounded: Host?
    /// Else it is still being waited for that all is whole.
    private var isInflicted = false
    /// How often nobody was found to lead while the wounded node can't.
    var leaderless = 0
    var copies: [Host: [String: [UInt8]]] = [:]
    /// Of a hundred requests to the witness, so many come a second time, late.
    private(set) var lateRequests: UInt64 = 0

    init(_ world: World, _ random: SeededRandom, without: Set<Int>) {
        (self.world, self.random, self.without) = (world, random, without)
        plan = Fault.plan(until: world.profile.chaos, &self.random)
        for fault in plan where !without.contains(fault.number) { world.at(fault.time) { self.happen(fault) } }
        world.at(world.profile.chaos / 4) { self.keepCopies() }
    }

    func end() { isOver = true }

    /// Of every disk, to be put back later. Not of a damaged one: to put that back would be two losses.
    private func keepCopies() {
        for node in world.nodes where !node.isTampered { copies[node.host] = node.disk.copy() }
        guard !world.witnesses[0].isTampered else { return }
        copies[world.witnesses[0].host] = world.witnesses[0].disk.copy()
    }

    private func happen(_ fault: Fault) {
        guard !isOver else { return }
        var random = SeededRandom(fault.seed)
        let isDone = fault.kind.isWound ? wound(fault, &random) : strike(fault.kind, &random)
        guard isDone else { return }
        applied.append(fault.number)
        world.count("fault \(fault.kind)")
    }

    func note(_ what: @autoclosure () -> String) { world.note("-- " + what()) }

    /// Whether this node may have something now.
    private func mayStrike(_ node: SimulatedNode) -> Bool { wounded == nil || wounded == node.host }

    private func strike(_ kind: Fault.Kind, _ random: inout SeededRandom) -> Bool {
        if wounded != nil, !kind.endsNode || !isInflicted { return false }
        let node = random.pick(world.nodes)
        guard mayStrike(node) else { return false }
        switch kind {
        case .kill, .killBoth, .killAtEffect, .endAtDiskChange, .cutPower, .cutPowerOfBoth, .pause, .clock:
            return strikeProcess(kind, node, &random)
        case .cutLinks, .clog, .slowPath, .breakConnections, .expireCertificate: return strikeNetwork(kind, &random)
        case .killWitness, .cutPowerOfWitness, .pauseWitness, .lateRequests: return strikeWitness(kind, &random)
        case .slowSync, .fullDisk, .stuckDatabase, .longTransaction, .switchover, .restartSeat:
            return strikeWork(kind, node, &random)
        case .splitSeats, .deafen, .failMains: return strikeCourse(kind, &random)
        case .failSync, .flipLog, .flipDatabase, .misdirectWrite, .wipe, .putBack, .flipWitness, .wipeWitness,
            .putBackWitness, .moveWitness, .forcedAct:
            return false
        }
    }

    // MARK: processes

    private func strikeProcess(_ kind: Fault.Kind, _ node: SimulatedNode, _ random: inout SeededRandom) -> Bool {
        guard let process = node.anyProcess else { return false }
        let loss = random.pick(PowerLoss.allCases)
        switch kind {
        case .kill: kill([node], &random)
        case .killBoth: kill(world.nodes, &random)
        case .cutPower: cutPower([node], loss, &random)
        case .cutPowerOfBoth: cutPower(world.nodes, loss, &random)
        case .killAtEffect:
            guard let process = process as? NodeProcess else { return false }
            process.effectsLeft = Int(random.within(1...60))
            note("\(node.name) will end after \(process.effectsLeft) effects")
        case .endAtDiskChange:
            node.disk.crashAfter = node.disk.changes + Int(random.within(1...60))
            note("\(node.name) will end after \(node.disk.crashAfter - node.disk.changes) changes of its disk")
        case .pause:
            note("\(node.name) is paused")
            node.pause()
            after(random.within(10_000_000...6_000_000_000)) { node.resume() }
        default:
            let rate = random.within(750...1300)
            let jump = Int64(random.below(10_000_000_000)) - 5_000_000_000
            note("\(node.name)'s clock runs at \(rate) and jumps by \(jump / 1_000_000) ms")
            node.clock.set(rate: rate, at: world.now)
            if random.chance(50) { node.clock.jump(by: jump, at: world.now) }
        }
        return true
    }

    private func kill(_ nodes: [SimulatedNode], _ random: inout SeededRandom) {
        for node in nodes where node.anyProcess != nil {
            note("\(node.name) is killed")
            node.end()
            restart(node, after: random.within(5_000_000...4_000_000_000))
        }
    }

    private func cutPower(_ nodes: [SimulatedNode], _ loss: PowerLoss, _ random: inout SeededRandom) {
        for node in nodes where node.anyProcess != nil {
            note("\(node.name) loses its power; of what was not synced the disk loses: \(loss)")
            node.cutPower(loss)
            restart(node, after: random.within(50_000_000...5_000_000_000))
        }
    }

    func restart(_ node: SimulatedNode, after delay: UInt64) { after(delay) { if node.isDown { node.start() } } }

    /// It came to its end by itself, where it was to.
    func ended(_ node: SimulatedNode) {
        if random.chance(40) { node.cutPower(random.pick(PowerLoss.allCases)) }
        restart(node, after: random.within(5_000_000...3_000_000_000))
    }

    /// Unless all is healed by then.
    func after(_ delay: UInt64, _ action: @escaping () -> Void) {
        world.after(delay) { if !self.isOver { action() } }
    }

    // MARK: the witness

    private func strikeWitness(_ kind: Fault.Kind, _ random: inout SeededRandom) -> Bool {
        let witness = world.witnesses[0]
        guard let process = witness.process else { return false }
        switch kind {
        case .killWitness:
            note("the witness is killed")
            witness.end()
            after(random.within(5_000_000...4_000_000_000)) { witness.start() }
        case .cutPowerOfWitness:
            note("the witness loses its power")
            witness.cutPower(random.pick(PowerLoss.allCases))
            after(random.within(50_000_000...4_000_000_000)) { witness.start() }
        case .pauseWitness:
            note("the witness is paused")
            process.pause()
            world.network.frozen[witness.host.number] = true
            after(random.within(100_000_000...4_000_000_000)) {
                self.world.network.frozen[witness.host.number] = false
                process.resume()
            }
        default:
            note("requests to the witness come twice and late")
            lateRequests = 30
            after(random.within(500_000_000...5_000_000_000)) { self.lateRequests = 0 }
        }
        return true
    }

    // MARK: work and people

    private func strikeWork(_ kind: Fault.Kind, _ node: SimulatedNode, _ random: inout SeededRandom) -> Bool {
        if kind == .restartSeat {
            note("a seat's program is started anew")
            random.pick(world.seats).restart()
            return true
        }
        guard let process = node.process else { return false }
        let time = random.within(300_000_000...5_000_000_000)
        switch kind {
        case .slowSync:
            note("\(node.name)'s disk takes 5 s for a sync")
            process.log.slow = (world.now + time, 5_000_000_000)
        case .fullDisk:
            let reserve = 2 * world.profile.segmentSize + 64 << 10
            node.disk.freeBytes = Int(random.below(UInt64(reserve)))
            note("\(node.name)'s disk has \(node.disk.freeBytes) bytes left")
            after(time) { node.disk.freeBytes = .max }
        case .stuckDatabase:
            note("\(node.name)'s database does not move")
            process.database.stuckFor = time
        case .longTransaction:
            note("\(node.name)'s database has long work")
            process.database.busyFor = time
        default:
            let obstacle = process.switchOver()
            note("\(node.name) is asked to hand over: \(obstacle.map { "no, \($0)" } ?? "yes")")
        }
        return true
    }

    // MARK: wounds

    func begin(wound host: Host) { (wounded, isInflicted, leaderless) = (host, false, 0) }
    func inflict() { isInflicted = true }

    func overcome() {
        wounded = nil
        if !isOver { world.storm() }
    }

    func duplicates() -> Bool { lateRequests > 0 && random.chance(lateRequests) }
}

extension NodeProcess {
    func switchOver() -> FailoverObstacle? {
        var obstacle: FailoverObstacle?
        step("switch over") { obstacle = $0.switchOver() }
        return obstacle
    }
}

extension Network {
    func duplicates() -> Bool { world.plague?.duplicates() ?? false }
}
