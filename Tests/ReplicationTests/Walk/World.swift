import Replication

/// A pair and its witness in one thread, on simulated time: the nodes are real `Replica` values, everything around them
/// (disks, databases, network, clients) is played, and fails as the seed decides.
///
/// After every step the `Ledger` checks what must hold. The same seed walks the same way, so a violation is looked at
/// by walking once more with `tracing`.
final class World {
    let seed: UInt64
    var random: SplitMix64
    var profile: Profile
    /// Microseconds since the walk began.
    private(set) var now: UInt64 = 0
    private(set) var steps = 0
    private var queue = EventQueue()
    var ledger = Ledger()
    /// The first violation; nothing happens after it.
    private(set) var violation: String?
    var healed = false
    /// Only a person could help this pair.
    var stuck = false
    let tracing: Bool
    private(set) var trace: [String] = []
    private(set) var nodes: [SimulatedNode] = []
    /// The pair's first, and one that it may move its register to.
    private(set) var witnesses: [SimulatedWitness] = []
    let link = SimulatedLink()

    static let pair = RandomID(high: 7, low: 7)

    init(seed: UInt64, tracing: Bool = false) {
        self.seed = seed
        self.tracing = tracing
        random = SplitMix64(seed: seed)
        profile = Profile(&random)
        let disks = PerNode(a: RandomID(high: 1, low: 1), b: RandomID(high: 2, low: 2))
        let register = Register(
            version: 1, epoch: Epoch(1), primary: .a, mode: .paired, disks: disks, starts: PerNode(a: 0, b: 0),
            floor: .zero)
        witnesses = [
            SimulatedWitness(self, Stage.witness.id, register),
            SimulatedWitness(self, RandomID(high: 9, low: 10), nil),
        ]
        nodes = NodeName.allCases.map { name in
            let record = NodeRecord(
                epoch: Epoch(1), claimed: Epoch(1), disk: disks[name], starts: 0, register: register,
                witness: Stage.witness)
            return SimulatedNode(self, name, record)
        }
        for witness in witnesses { witness.start(rebooted: false) }
        for node in nodes { node.start() }
        dial()
        for name in NodeName.allCases { write(name); read(name) }
    }

    func witness(_ id: RandomID) -> SimulatedWitness { witnesses.first { $0.id == id } ?? witnesses[0] }
    /// The one that this node's disk names.
    func witness(of node: SimulatedNode) -> SimulatedWitness { witness(node.record.witness.id) }

    subscript(name: NodeName) -> SimulatedNode { nodes[name == .a ? 0 : 1] }

    func after(_ delay: UInt64, _ action: @escaping () -> Void) { queue.plan(at: now + delay, action) }
    func after(_ delay: Profile.Delay, _ action: @escaping () -> Void) { after(random.draw(delay), action) }

    func fail(_ what: String) {
        if violation == nil { violation = what }
        note("*** " + what)
    }

    func note(_ line: @autoclosure () -> String) {
        guard tracing else { return }
        let stamp = String(now)
        trace.append(String(repeating: " ", count: max(0, 9 - stamp.count)) + stamp + "  " + line())
    }

    /// Lets everything happen that is due within this time, or until `enough`.
    @discardableResult
    func run(for duration: UInt64, until enough: () -> Bool = { false }) -> Bool {
        let end = now + duration
        while violation == nil, let time = queue.nextTime, time <= end {
            if enough() { return true }
            guard let event = queue.next() else { break }
            now = event.time
            steps += 1
            event.action()
            ledger.check(self)
        }
        if violation == nil { now = end }
        return enough()
    }

    /// Chaos for about so many steps.
    func walk(steps: Int) {
        plague()
        run(for: .max / 2) { self.steps >= steps }
    }
}
