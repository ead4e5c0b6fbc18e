import Replication

/// A real `Witness` with a played disk, and a connection to each node. A request whose connection has closed may still
/// arrive, much later; its answer never does.
final class SimulatedWitness {
    unowned let world: World
    let id: RandomID
    private(set) var witness: Witness?
    private(set) var life = 0
    private var disk: Witness.Record
    private var saves: [Witness.Record] = []
    /// Nodes that can't reach it now.
    var unreachable = PerNode(a: false, b: false)
    /// Until then every request takes this long.
    var slow: UInt64 = 0
    private var connections: UInt64 = 0
    private var lastArrival = PerNode<UInt64>(a: 0, b: 0)

    /// - Parameter register: nil for one that holds none yet.
    init(_ world: World, _ id: RandomID, _ register: Register?) {
        (self.world, self.id) = (world, id)
        let pairs = register.map { [Witness.Pair(id: World.pair, name: "walk", register: $0)] }
        disk = Witness.Record(id: id, registers: pairs ?? [])
    }

    var register: Register? { witness?.register(of: World.pair) ?? disk.registers.first?.register }
    var syncedRegister: Register? { disk.registers.first?.register }

    func start(rebooted: Bool) {
        life += 1
        witness = Witness(record: disk, start: UInt64(life), machineRebooted: rebooted)
        world.note("witness \(id.low) starts\(rebooted ? ", its machine rebooted" : "")")
    }

    func crash() {
        guard witness != nil else { return }
        world.note("witness \(id.low) crashes")
        life += 1
        for record in saves.prefix(Int(world.random.below(UInt64(saves.count + 1)))) { disk = record }
        saves = []
        witness = nil
        for node in world.nodes where node.witnessConnection?.witness == id { disconnect(node, noticedWithin: 5_000) }
    }

    /// Each node dials its witness all the time.
    func dial(from node: SimulatedNode) {
        guard let witness, !unreachable[node.name], node.witnessConnection == nil else { return }
        connections += 1
        node.witnessUp(.init(witness: id, number: connections, start: witness.start))
    }

    func disconnect(_ node: SimulatedNode, noticedWithin limit: UInt64) {
        guard let connection = node.witnessConnection, connection.witness == id else { return }
        world.after(world.random.within(0...limit)) { node.witnessDown(connection) }
    }

    func ask(_ request: RegisterRequest, from node: SimulatedNode, _ connection: SimulatedNode.WitnessConnection) {
        var delay = max(world.random.draw(world.profile.witness), slow)
        if unreachable[node.name] || witness == nil {
            guard world.random.chance(world.profile.limbo) else { return }
            delay += world.random.within(0...3_000_000)
        }
        if world.random.chance(95) {
            let arrival = max(lastArrival[node.name], world.now + delay)
            if witness != nil, !unreachable[node.name] { lastArrival[node.name] = arrival }
            delay = arrival - world.now
        }
        world.after(delay) { self.arrive(request, from: node.name, connection, mayLinger: true) }
    }

    private func arrive(
        _ request: RegisterRequest, from name: NodeName, _ connection: SimulatedNode.WitnessConnection, mayLinger: Bool
    ) {
        let open = world[name].witnessConnection == connection
        if mayLinger, !open || unreachable[name] {
            guard world.random.chance(world.profile.limbo) else { return }
            let delay = world.random.within(0...2_000_000)
            return world.after(delay) { self.arrive(request, from: name, connection, mayLinger: false) }
        }
        guard witness != nil else { return }
        world.note("witness \(id.low) <- \(name) \(request.show)")
        let effects = witness?.receive(
            request, pair: World.pair, named: "walk", start: connection.start, client: connection.number)
        perform(effects ?? [])
    }

    private func perform(_ effects: [Witness.Effect]) {
        for effect in effects {
            switch effect {
            case .save(let record):
                saves.append(record)
                if saves.count == 1 { saveNext() }
            case .answer(let client, let answer): reply(answer, to: client)
            }
        }
    }

    private func saveNext() {
        let life = life
        world.after(world.profile.disk) {
            guard self.life == life else { return }
            self.disk = self.saves.removeFirst()
            if !self.saves.isEmpty { self.saveNext() }
            self.perform(self.witness?.recordSaved() ?? [])
        }
    }

    private func reply(_ answer: RegisterAnswer, to client: UInt64) {
        for node in world.nodes where !unreachable[node.name] {
            guard let connection = node.witnessConnection, connection.witness == id, connection.number == client
            else { continue }
            world.after(max(world.random.draw(world.profile.witness), slow)) { node.answered(answer, on: connection) }
        }
    }
}
