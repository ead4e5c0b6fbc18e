import Replication
import Store
import Wire

/// A pair, its witness and its seats in one thread, on simulated time, network and disks: the engines, logs, databases,
/// the witness and the seats' sessions are the real ones; everything around them is played, and fails as the seed
/// decides. After every step the `Ledger` looks at what must hold. The same seed gives the same run.
final class World {
    let seed: UInt64
    var random: SeededRandom
    var profile: Profile
    /// As the seed made it.
    private let weather: Profile
    /// Nanoseconds since the run began.
    private(set) var now: UInt64 = 0
    private(set) var steps = 0
    private var queue = EventQueue()
    private(set) var network: Network!
    private(set) var ledger: Ledger!
    private(set) var desk: Desk!
    private(set) var plague: Plague!
    private(set) var nodes: [SimulatedNode] = []
    /// The pair's first, and one that can take its place.
    private(set) var witnesses: [SimulatedWitness] = []
    private(set) var seats: [SimulatedSeat] = []
    /// The first violation; nothing happens after it.
    private(set) var violation: String?
    /// What the nodes do is not judged, only what seats are told: for seeing what a history alone shows.
    private let judgesAnswersOnly: Bool
    /// Gets each event, as a line.
    private let tracer: ((String) -> Void)?
    var isTracing: Bool { tracer != nil }
    private(set) var counters: [String: Int] = [:]
    var coverage = Coverage()

    /// Whatever was on its way to one that has died finds it dead.
    private var processes: [Process] = []

    let pair = RandomID(high: 7, low: 7)

    /// - Parameter without: faults that are left out, by their number in the seed's plan.
    init(
        seed: UInt64, without: Set<Int> = [], answersOnly: Bool = false, tracer: ((String) -> Void)? = nil
    ) throws(NodeFiles.Failure) {
        (self.seed, judgesAnswersOnly, self.tracer) = (seed, answersOnly, tracer)
        DatabaseLibrary.seed(Int32(truncatingIfNeeded: seed))
        var random = SeededRandom(seed)
        profile = Profile(&random)
        weather = profile
        self.random = random.fork()
        network = Network(self, hosts: Host.firstSeat + profile.seats, random.fork())
        (ledger, desk) = (Ledger(self), Desk(self))
        nodes = NodeName.allCases.map { SimulatedNode(self, $0, random.fork()) }
        let disks = PerNode(a: nodes[0].newID(), b: nodes[1].newID())
        let register = Register(
            version: 1, epoch: Epoch(1), primary: .a, mode: .paired, disks: disks, starts: PerNode(a: 0, b: 0),
            floor: .zero)
        witnesses = [
            SimulatedWitness(
                self, .witness(0), random.fork(),
                registers: [Witness.Pair(id: pair, name: NodeFiles.pairName, register: register)]),
            SimulatedWitness(self, .witness(1), random.fork(), registers: []),
        ]
        seats = (0..<profile.seats).map { SimulatedSeat(self, .seat($0), random.fork()) }
        plague = Plague(self, random.fork(), without: without)
        for witness in witnesses { witness.start() }
        guard let id = witnesses[0].record?.id else { throw .lost("the witness did not start") }
        for node in nodes {
            try node.files.format(
                NodeRecord(
                    epoch: Epoch(1), claimed: Epoch(1), disk: disks[node.name], starts: 0, register: register,
                    witness: WitnessChoice(id)))
            node.start()
        }
        for seat in seats { seat.start() }
    }

    func keep(_ process: Process) { processes.append(process) }

    subscript(name: NodeName) -> SimulatedNode { nodes[name == .a ? 0 : 1] }

    /// The one that this node's disk names.
    func witness(_ id: RandomID) -> SimulatedWitness? { witnesses.first { $0.record?.id == id } }

    func at(_ time: UInt64, _ action: @escaping () -> Void) { queue.plan(at: max(time, now), action) }
    func after(_ delay: UInt64, _ action: @escaping () -> Void) { queue.plan(at: now + delay, action) }

    /// Lets everything happen that is due within this time, or until `enough`.
    @discardableResult
    func run(for duration: UInt64, until enough: () -> Bool = { false }) -> Bool {
        let end = now + duration
        while violation == nil, let time = queue.nextTime, time <= end {
            if steps & 15 == 0, enough() { return true }
            guard let event = queue.next() else { break }
            now = event.time
            steps += 1
            event.action()
        }
        if violation == nil { now = end }
        return enough()
    }

    /// Things take as long as the seed wants, after they were mended.
    func storm() { profile = weather }

    // MARK: words

    func fail(_ what: String) {
        note("*** \(what)")
        // Without these nothing would go on.
        let endsIt = ["LIVENESS", "DAMAGED", "HALT"].contains { what.hasPrefix($0) }
        guard !judgesAnswersOnly || endsIt else { return count("seen by the ledger alone") }
        if violation == nil { violation = what }
    }

    func count(_ what: String, by amount: Int = 1) { counters[what, default: 0] += amount }

    /// A request that the network has kept comes long after, over no connection that anybody still has.
    func straggle(_ bytes: [UInt8], to host: Host, of node: NodeName) {
        count("late witness requests")
        after(random.within(1_000_000...3_000_000_000)) {
            self.witnesses[host.number - 2].process?.take(bytes, from: 0)
        }
    }

    func note(_ line: @autoclosure () -> String) {
        guard let tracer else { return }
        tracer(Self.stamp(now) + "  " + line())
    }

    func note(_ host: Host, _ line: @autoclosure () -> String) {
        guard let tracer else { return }
        tracer(Self.stamp(now) + "  " + "\(host)".padded(to: 2) + String(repeating: " ", count: 38) + line())
    }

    func note(_ process: NodeProcess, _ line: @autoclosure () -> String) {
        guard let tracer else { return }
        var stands = ""
        if let replica = process.engine?.replica {
            let lsns = "\(replica.log.last.lsn)/\(replica.synced)/\(replica.committed)/\(replica.applied)"
            stands = replica.role.brief.padded(to: 11) + "\(replica.epoch)".padded(to: 6) + lsns.padded(to: 20)
        }
        tracer(Self.stamp(now) + "  " + "\(process.host)".padded(to: 2) + " " + stands.padded(to: 37) + line())
    }

    /// Seconds.
    static func stamp(_ nanoseconds: UInt64) -> String {
        let rest = String(nanoseconds / 1000 % 1_000_000)
        let seconds = String(nanoseconds / 1_000_000_000)
        return String(repeating: " ", count: max(0, 4 - seconds.count)) + seconds + "."
            + String(repeating: "0", count: 6 - rest.count) + rest
    }

    /// Breaks the circles by which all of it holds itself in memory.
    func dismantle() {
        queue.clear()
        for node in nodes { node.dismantle() }
        for witness in witnesses { witness.end() }
        network.dismantle()
        (nodes, witnesses, seats, processes) = ([], [], [], [])
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
