import Testing

/// Two replicas and a witness through crashes, pauses, cut and silent links, slow disks and late requests. `Ledger`
/// says what must hold at every step; at the end everything heals, and then one of three is lost for good.
struct RandomWalkTests {
    static let steps = 2_000

    @Test("no walk loses an answer, splits the pair, undoes a database or fails to heal", arguments: 0..<10)
    func walks(batch: UInt64) {
        var stuck = 0
        for seed in batch * 30..<(batch + 1) * 30 {
            let world = pairWalk(seed: seed, steps: Self.steps)
            guard world.violation == nil else {
                Issue.record("\(World.report(seed: seed, steps: Self.steps))")
                return
            }
            if world.stuck { stuck += 1 }
        }
        #expect(stuck < 8, "a register is lost on its way too often")
    }

    @Test("the same seed walks the same way")
    func repeats() {
        let (first, second) = (
            pairWalk(seed: 4711, steps: 500, tracing: true), pairWalk(seed: 4711, steps: 500, tracing: true)
        )
        #expect(first.trace == second.trace)
        #expect(first.trace.count > 200)
    }
}
