import Replication

/// What nobody in the pair can see: everything that was ever committed, named, claimed or promised, and by whom. It
/// judges by the design's rules, after each step; each check says which promise it guards.
struct Ledger {
    /// All that was ever committed, by LSN from 1: there is one history.
    private(set) var history: [Record] = []
    private var named: [Position: UInt64] = [:]
    private var leaders: [Epoch: Leader] = [:]
    private var claims: [Epoch: UniqueNumber] = [:]
    /// By witness.
    private var registers: [RandomID: Register] = [:]
    private var payloads: UInt64 = 0
    private(set) var answeredReads = 0
    private struct Leader: Equatable { var name: NodeName, life: Int }

    mutating func newPayload() -> UInt64 {
        payloads += 1
        return payloads
    }

    /// (epoch, LSN) names one entry for ever (R7).
    mutating func name(_ record: Record, _ world: World) {
        let payload = named[record.position, default: record.payload]
        if payload != record.payload { world.fail("MATCH: \(record.position) is #\(payload) and #\(record.payload)") }
        named[record.position] = record.payload
    }

    /// One history; what is answered is on both disks, or on the one that leads alone (P1).
    mutating func committed(_ lsn: LSN, by node: SimulatedNode, _ world: World) {
        guard lsn.value <= node.log.entries.count else {
            return world.fail("\(node.name) commits \(lsn), past the end of its log")
        }
        let record = node.log.entries[Int(lsn.value) - 1]
        if lsn.value <= history.count {
            let known = history[Int(lsn.value) - 1]
            if known != record { world.fail("LOST: \(node.name) commits \(record), where \(known) was committed") }
            return
        }
        guard case .primary(let primary) = node.replica?.role else {
            return world.fail("\(node.name) commits \(record) as \(node.roleName), before any primary did")
        }
        history.append(record)
        if !node.log.isDurable(record) { world.fail("P1: \(node.name) answers \(record) before it is on its disk") }
        let other = world[node.name.other]
        if primary.needsStandby, !other.log.isDurable(record) {
            world.fail("P1: \(node.name) needs its standby and answers \(record) before it is on \(other.name)'s disk")
        }
        if case .primary(let newer) = other.replica?.role, newer.epoch > primary.epoch, !other.log.contains(record) {
            world.fail("LOST: \(node.name) answers \(record) while \(other.name) leads \(newer.epoch)")
        }
    }

    /// A node that begins to lead has all that was ever answered, and leads an epoch of its own, in one life (R5, R7).
    mutating func leads(_ node: SimulatedNode, _ primary: Primary, _ world: World) {
        if primary.epoch.owner != node.name { world.fail("R7: \(node.name) leads \(primary.epoch)") }
        let leader = Leader(name: node.name, life: node.life)
        if let known = leaders[primary.epoch] {
            if known != leader { world.fail("R5: \(primary.epoch) is led in two lives") }
            return
        }
        leaders[primary.epoch] = leader
        if !node.log.entries.starts(with: history) {
            world.fail("LOST: \(node.name) leads \(primary.epoch) without all of the \(history.count) answered entries")
        }
        if registers[node.record.witness.id]?.epoch ?? .zero < primary.epoch {
            world.fail("R5: \(primary.epoch) is led without the register")
        }
    }

    mutating func started(_ node: SimulatedNode, _ world: World) {
        guard node.log.entries.count < node.applied.value else { return }
        world.fail("UNDO: \(node.name)'s database holds \(node.applied), its log ends before")
    }

    /// Nothing that rests on a disk goes back.
    func saved(_ record: NodeRecord, over before: NodeRecord, _ world: World) {
        if record.epoch < before.epoch || record.claimed < before.claimed { world.fail("R7: \(before) -> \(record)") }
        if record.register.version < before.register.version || record.witness.number < before.witness.number {
            world.fail("R12: \(before) -> \(record)")
        }
    }

    /// An epoch is on disk before anything is sent in it (R7).
    func sent(_ message: Message, by node: SimulatedNode, _ world: World) {
        guard message.epoch > node.record.epoch else { return }
        world.fail("R7: \(node.name) speaks in \(message.epoch), which isn't on its disk")
    }

    /// A number is on disk before it is claimed, and no two claims share one (R4).
    mutating func asked(_ request: RegisterRequest, by node: SimulatedNode, _ world: World) {
        guard case .compareAndSet(_, let register) = request.action, case .claiming = node.replica?.role else { return }
        if node.record.claimed < register.epoch { world.fail("R4: \(node.name) claims \(register.epoch), not on disk") }
        if claims[register.epoch] != nil { world.fail("R4: \(node.name) claims \(register.epoch) twice") }
        claims[register.epoch] = request.number
    }

    /// A read shows everything that was answered before it was asked (P3).
    mutating func answered(_ read: WaitingRead, by node: SimulatedNode, _ world: World) {
        answeredReads += 1
        if Int(node.applied.value) < read.answeredBefore {
            world.fail("STALE: \(node.name) answers a read at \(node.applied) that must show \(read.answeredBefore)")
        }
    }

    mutating func stepped(_ node: SimulatedNode, _ world: World) {
        guard let replica = node.replica else { return }
        if case .primary(let primary) = replica.role {
            leads(node, primary, world)
            if primary.serving, node.record.epoch < primary.epoch || node.log.synced < primary.mark.value {
                world.fail("R5: \(node.name) serves before \(primary.epoch) and its mark are on its disk")
            }
        }
        if case .standby(let standby) = replica.role, case .cutting = standby.phase { return }
        if replica.synced.value > node.log.synced { world.fail("\(node.name) takes \(replica.synced) for synced") }
        if replica.log.last != node.log.entries.last?.position ?? .zero {
            world.fail("\(node.name) takes its log to end at \(replica.log.last)")
        }
    }

    mutating func check(_ world: World) {
        checkLeaders(world)
        for witness in world.witnesses {
            guard let now = witness.syncedRegister, now != registers[witness.id] else { continue }
            if let before = registers[witness.id], now.version <= before.version || now.epoch < before.epoch {
                world.fail("R12: the register of witness \(witness.id.low) went from \(before) to \(now)")
            }
            registers[witness.id] = now
        }
    }

    /// Two nodes never lead without needing each other; a promise that a failover is possible is right (P4, R3).
    private func checkLeaders(_ world: World) {
        var solos = 0
        for node in world.nodes {
            guard let replica = node.replica, case .primary(let primary) = replica.role else { continue }
            if !primary.needsStandby { solos += 1 }
            guard replica.failoverObstacle == nil, case .standby(let other) = world[node.name.other].replica?.role,
                other.session == primary.session?.id, let register = world.witness(of: node).syncedRegister
            else { continue }
            if register.mode != .paired || register.epoch != primary.epoch || register.primary != node.name {
                world.fail("STATUS: \(node.name) says that a failover is possible, and the register \(register)")
            }
        }
        if solos == 2 { world.fail("TWO: both lead without needing each other") }
    }
}
