import Replication

/// Walks one seed: chaos first, then everything heals, then one of three is lost for good.
func pairWalk(seed: UInt64, steps: Int, tracing: Bool = false) -> World {
    let world = World(seed: seed, tracing: tracing)
    world.walk(steps: steps)
    guard world.violation == nil else { return world }
    world.heal()
    world.run(for: 5_000_000, until: { world.nodes.allSatisfy { $0.lateUntil <= world.now } })
    let deadline = world.now + 10_000_000
    repeat {
        let settled = world.run(for: deadline - world.now, until: { world.isSettled })
        if !settled, world.needsPerson {
            world.stuck = true
            return world
        }
        if !settled { world.fail("LIVENESS: healed, and not settled") }
        // What was on its way may still unsettle it.
        world.run(for: 1_000_000)
    } while world.violation == nil && !world.isSettled && world.now < deadline
    if !world.isSettled { world.fail("LIVENESS: settled, and no longer") }
    let before = world.ledger.history.count
    if !world.run(for: 3_000_000, until: { world.ledger.history.count > before + 1 }) {
        world.fail("LIVENESS: settled, and nothing commits")
    }
    world.loseOneForGood()
    return world
}

extension World {
    /// What a failing test prints: the seed, the violation, and how it came to that.
    static func report(seed: UInt64, steps: Int, lines: Int = 60) -> String {
        let world = pairWalk(seed: seed, steps: steps, tracing: true)
        return "seed \(seed), step \(world.steps): \(world.violation ?? "no violation")\n"
            + world.trace.suffix(lines).joined(separator: "\n")
    }

    var isSettled: Bool { nodes.contains { $0.replica?.failoverObstacle == nil && $0.replica != nil } }

    /// With any one of three dead, the rest serves within three seconds.
    func loseOneForGood() {
        guard violation == nil else { return }
        let victim = random.below(3)
        if victim == 2 {
            for node in nodes { witness(of: node).crash() }
        } else {
            nodes[Int(victim)].crash(powerCut: random.chance(50))
        }
        note("this one is lost for good: \(["a", "b", "the witness"][Int(victim)])")
        let before = ledger.newPayload()
        // A mark doesn't count.
        let serves = { self.ledger.history.suffix(2).allSatisfy { $0.payload > before } }
        if !run(for: 3_000_000, until: serves) { fail("LIVENESS: one of three is lost, and nothing commits") }
    }
}
