import Histories
import Replication
import Store

/// How a run went.
package struct Verdict {
    package var seed: UInt64
    /// Nil: everything held.
    package var violation: String?
    package var simulatedNanoseconds: UInt64 = 0
    package var steps = 0
    /// What seats were told: done, refused or shown.
    package var answers = 0
    /// A second loss left the rest of it to a person.
    package var needsPerson = false
    /// What went wrong, by kind; and what else is worth counting.
    package var counts: [String: Int] = [:]
    package var coverage = Coverage()
    package var faultsPlanned = 0
    package var faultsApplied: [Int] = []
    /// What the seats asked for and were told.
    package var history = History()
}

/// Runs one seed: first things go wrong, then all but one is mended, then all, then one is lost for good.
/// - Parameter answersOnly: nothing is judged but what seats were told.
package func simulate(
    seed: UInt64, without: Set<Int> = [], answersOnly: Bool = false, tracer: ((String) -> Void)? = nil
) -> Verdict {
    var verdict = Verdict(seed: seed)
    let world: World
    do throws(NodeFiles.Failure) {
        world = try World(seed: seed, without: without, answersOnly: answersOnly, tracer: tracer)
    } catch {
        verdict.violation = "the pair can't be made: \(error)"
        return verdict
    }
    world.run(for: world.profile.chaos)
    let course = Course(world)
    course.run()
    verdict.history = world.desk.chronicle.history
    verdict.violation = world.violation ?? world.desk.chronicle.violation()
    verdict.needsPerson = course.needsPerson
    verdict.simulatedNanoseconds = world.now
    verdict.steps = world.steps
    verdict.answers = world.desk.answers
    verdict.counts = world.counters
    verdict.coverage = world.coverage
    verdict.faultsPlanned = world.plague.plan.count
    verdict.faultsApplied = world.plague.applied
    world.dismantle()
    return verdict
}

/// What must come to pass once things no longer go wrong.
final class Course {
    private unowned let world: World
    private(set) var needsPerson = false
    private static let second: UInt64 = 1_000_000_000
    /// Seats are answered again within.
    private static let answeredWithin = 5 * second

    init(_ world: World) { self.world = world }

    func run() {
        guard world.violation == nil else { return }
        // What a wound has begun is finished first: it was the one loss.
        world.run(for: 250 * Self.second) { self.world.plague.wounded == nil }
        if world.plague.wounded != nil { return world.fail("LIVENESS: a wound is not overcome") }
        world.plague.end()
        healAllButOne()
        healAll()
        guard world.violation == nil, !needsPerson else { return }
        loseOne()
        guard world.violation == nil else { return }
        world.mend()
        settle()
        checkCopies()
        lookUp()
    }

    /// Whoever is lost is one that the pair can do without as things stand; else it would be the second loss.
    private func healAllButOne() {
        guard world.violation == nil else { return }
        let candidates = [Host.a, .b, .witness(0)].filter(isDispensable)
        guard !candidates.isEmpty else { return }
        let lost = world.random.pick(candidates)
        let loss = world.random.pick(Loss.allCases.filter { world.isOneLoss(lost, $0) })
        world.end(lost, loss)
        world.mend(but: loss.endsProcess ? lost : nil)
        world.silence(lost, loss)
        expectAnswers(without: lost)
    }

    private func isDispensable(_ host: Host) -> Bool {
        if host.isWitness {
            // A primary that has not heard of a newer epoch is none any more: where that one's is gone, it is a second
            // loss.
            let newest = world.nodes.compactMap { record(of: $0)?.epoch }.max() ?? .zero
            return world.nodes.contains { node in
                guard let replica = node.replica, case .primary(let primary) = replica.role, primary.serving
                else { return false }
                return primary.epoch >= newest && (!primary.needsStandby || primary.session?.settled == true)
            }
        }
        let rest = world[host == .a ? .b : .a]
        guard let record = record(of: rest), let witness = world.witness(record.witness.id),
            let register = witness.register, witness.process?.core.cautious.isEmpty ?? false,
            register.starts[rest.name] <= record.starts + 1, register.disks[rest.name] == record.disk,
            world.ledger.isWhole(rest.name), rest.process != nil
        else { return false }
        if register.primary == rest.name { return true }
        return register.mode == .paired && register.epoch == record.epoch
            && register.floor.lsn <= world.ledger.durable[rest.name].last.lsn
    }

    /// What its disk says.
    private func record(of node: SimulatedNode) -> NodeRecord? {
        node.process?.log.saved ?? (try? node.files.file())?.record
    }

    private func expectAnswers(without lost: Host) {
        let before = world.desk.answers
        if world.run(for: Self.answeredWithin, until: { self.world.desk.answers > before + 2 }) { return }
        guard world.violation == nil else { return }
        // A change that was on its way when it was lost: two losses.
        if isHopeless(without: lost) {
            needsPerson = true
            return
        }
        world.fail("LIVENESS: only \(lost) is lost, and no seat is answered for 5 s")
    }

    /// The register leaves nobody but the lost one.
    private func isHopeless(without lost: Host) -> Bool {
        guard lost.isNode else { return false }
        let rest = world[lost == .a ? .b : .a]
        guard let record = rest.process?.log.saved, let register = world.witness(record.witness.id)?.register
        else { return true }
        return register.primary != rest.name && (register.mode == .solo || register.epoch != record.epoch)
            || !(world.witness(record.witness.id)?.process?.core.cautious.isEmpty ?? true)
    }

    private func healAll() {
        guard world.violation == nil else { return }
        needsPerson = false
        world.mend()
        settle()
        checkCopies()
    }

    private func settle() {
        let isSettled = world.run(for: 30 * Self.second) {
            self.tend()
            return self.world.isSettled
        }
        guard world.violation == nil else { return }
        if !isSettled { return world.fail("LIVENESS: all is mended, and the pair is not whole after 30 s") }
        // What was on its way may still unsettle it.
        world.run(for: Self.second)
        if !world.run(for: 15 * Self.second, until: { self.world.isWhole }), world.violation == nil {
            world.fail("LIVENESS: the pair was whole, and is no longer")
        }
    }

    /// As the runbook says.
    private func tend() {
        for node in world.nodes {
            if case .ended = node.state, node.other.replica?.serves == true { node.reseed() }
            if node.isDown { node.start() }
        }
        world.adoptIfNeeded()
    }

    private func loseOne() {
        let hosts: [Host] = [.a, .b, world.nodes[0].witness]
        let lost = world.random.pick(hosts)
        let loss = world.random.pick(Loss.allCases)
        world.end(lost, loss)
        world.silence(lost, loss)
        let before = world.desk.answers
        if world.run(for: Self.answeredWithin, until: { self.world.desk.answers > before + 2 }) { return }
        if world.violation == nil { world.fail("LIVENESS: \(lost) is lost, and no seat is answered for 5 s") }
    }

    /// Both databases hold what was committed, and are equal row by row (P7).
    private func checkCopies() {
        guard world.violation == nil else { return }
        guard world.run(for: 20 * Self.second, until: { self.world.isLevel }) else {
            if world.violation == nil { world.fail("LIVENESS: the two copies do not become level") }
            return
        }
        world.desk.check()
        for node in world.nodes {
            guard let database = node.process?.database.database, !database.hasOpenBatch else { continue }
            do throws(StoreError) {
                let computed = try database.recomputeDigest()
                if computed != database.digest { world.fail("P7: \(node.name)'s tables add up to \(computed)") }
            } catch { world.fail("P7: \(node.name)'s tables can't be read: \(error)") }
        }
    }
}

extension Course {
    /// The copies are level: either has all that was ever answered.
    fileprivate func lookUp() {
        guard world.violation == nil, let reader = world.nodes[0].process?.reads.reader else { return }
        do throws(StoreError) {
            try world.desk.chronicle.lookUp { queries throws(StoreError) in try reader.read(queries).1 }
        } catch { world.fail("P7: the tickets can't be read: \(error)") }
    }
}

extension Ledger {
    /// Its disk holds all that was ever answered.
    func isWhole(_ name: NodeName) -> Bool {
        guard let newest = history.last else { return true }
        return durable[name].epoch(at: newest.lsn) == newest.epoch
    }
}
