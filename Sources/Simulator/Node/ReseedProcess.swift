import DurableLog
import Engine
import Replication
import Store
import Wire

/// A node that has no data of its own yet, and fetches a copy of the other's: while it does there is no replica, so it
/// neither follows nor claims. The copy is SQLite's own of the other node's database, and travels in pieces.
final class ReseedProcess: Process, WitnessAsker {
    unowned let node: SimulatedNode
    private var file: NodeFile
    private var greeters: [Greeter] = []
    private var testifier: Testifier
    private(set) var arbiter: WitnessRoute!
    private static let piece = 64 << 10

    init(_ node: SimulatedNode, _ file: NodeFile, number: UInt64) {
        (self.node, self.file) = (node, file)
        testifier = Testifier(node.name, file.record, process: number)
        super.init(node.world, node.host, node.clock)
        if file.pairID != .zero { arbiter = WitnessRoute(self) }
    }

    func start() {
        world.network.listen(host) { [unowned self] connection in
            guard !connection.ends[0].host.isNode else { return nil }
            let greeter = Greeter(self.world, connection, self.file)
            self.greeters.append(greeter)
            return greeter
        }
        node.files.removeLeftovers(keeping: [file.copy])
        arbiter?.start()
        if arbiter != nil { testifyAgain() }
        again()
    }

    func witnessConnected(_ id: RandomID) { testify(testifier.connected(id)) }
    func witnessDisconnected() { testifier.disconnected() }
    func witnessAnswered(_ answer: RegisterAnswer) {}

    private func testifyAgain() {
        after(milliseconds: 1000) {
            self.testify(self.testifier.again())
            self.testifyAgain()
        }
    }

    private func testify(_ request: RegisterRequest?) {
        guard let request else { return }
        if world.isTracing { world.note(host, "asks \(request.brief)") }
        arbiter?.ask(request)
    }

    private func again() { after(milliseconds: 500) { self.want() } }

    private var isReachable: Bool {
        (0..<Network.routes).contains { route in
            !world.network.isBlocked(from: host, to: node.other.host, route)
                && !world.network.isBlocked(from: node.other.host, to: host, route)
        }
    }

    /// A snapshot of the leader's database, for as long as it leads.
    private func want() {
        guard isReachable, let leader = node.other.process, !leader.isPaused, leader.engine.replica.serves,
            node.disk.freeBytes == .max, leader.node.disk.freeBytes == .max
        else { return again() }
        let replica = leader.engine.replica
        leader.engine.pinned = replica.applied
        let target = leader.node.disk.root + "/outgoing.sqlite"
        if leader.node.disk.exists(target) { leader.node.disk.name(nil, target) }
        do throws(StoreError) {
            let snapshot = try SnapshotFile(of: leader.database.database.path, into: target)
            copy(snapshot, target, from: leader)
        } catch { refused(by: leader, error) }
    }

    private func refused(by leader: NodeProcess, _ error: StoreError) {
        leader.endIfCrashed()
        if leader.isAlive, case .damaged = error { leader.report(.failed(WorkerFailure(error))) }
        again()
    }

    private func copy(_ snapshot: SnapshotFile, _ target: String, from leader: NodeProcess) {
        after(nanoseconds: world.random.draw(world.profile.disk)) {
            guard leader.isAlive else { return self.again() }
            do throws(StoreError) {
                if try snapshot.copy(bytes: Self.piece) { return self.copy(snapshot, target, from: leader) }
                try snapshot.finish()
            } catch { return self.refused(by: leader, error) }
            let contents = snapshot.contents
            leader.engine.pinned = contents.position.lsn
            var isAnswered = false
            self.whenDead(leader) { if !isAnswered { self.again() } }
            leader.log.link(at: contents.position.lsn) { chain in
                isAnswered = true
                guard let chain, let bytes = leader.node.disk.files[target]?.bytes else { return self.again() }
                let replica = leader.engine.replica
                let offer = CopyOffer(
                    snapshot: self.node.newID(), pair: self.world.pair, position: contents.position, chain: chain,
                    digest: contents.digest, schemaVersion: contents.schemaVersion, size: UInt64(bytes.count),
                    checksum: bytes.withUnsafeBytes { crc32c($0) }, leads: replica.epoch,
                    register: replica.record.register, witness: replica.record.witness)
                self.run { self.receive(offer, bytes, from: leader) }
            }
        }
    }

    /// It answers no more.
    private func whenDead(_ leader: NodeProcess, _ action: @escaping () -> Void) {
        after(milliseconds: 500) {
            if leader.isAlive { self.whenDead(leader, action) } else { action() }
        }
    }

    private func receive(_ offer: CopyOffer, _ bytes: [UInt8], from leader: NodeProcess) {
        world.note(host, "receives a copy of \(offer.position), \(bytes.count) bytes")
        do throws(LogError) {
            file = try node.files.learn(from: offer, file)
            let directory = node.disk.directory(node.files.folder(file.incoming))
            let target = try directory.create("tickets.sqlite")
            receive(offer, bytes, at: 0, into: target, from: leader)
        } catch { end() }
    }

    private func receive(
        _ offer: CopyOffer, _ bytes: [UInt8], at offset: Int, into target: any DiskFile, from leader: NodeProcess
    ) {
        let time = world.network.delay(from: leader.host, to: host, 0) + world.random.draw(world.profile.disk)
        after(nanoseconds: time) {
            guard leader.isAlive, self.isReachable else { return self.again() }
            let end = min(offset + Self.piece, bytes.count)
            do throws(LogError) {
                try bytes.span.bytes.extracting(offset..<end).withUnsafeBytes { piece throws(LogError) in
                    try target.write(piece, at: offset)
                }
            } catch { return self.end() }
            if end < bytes.count { return self.receive(offer, bytes, at: end, into: target, from: leader) }
            self.install(offer, bytes)
        }
    }

    private func install(_ offer: CopyOffer, _ bytes: [UInt8]) {
        do throws(NodeFiles.Failure) {
            try node.files.install(offer, bytes, into: file)
            node.reseeded()
        } catch {
            // Half way: the next start goes on.
            if !node.disk.hasCrashed, case .store = error { world.fail("RESEED: \(node.name): \(error)") }
            end()
        }
    }

    private func end() {
        world.note(host, "ends here")
        node.end()
        world.plague.ended(node)
    }
}

/// Tells a seat that this node can't serve it yet.
private final class Greeter: ConnectionOwner {
    private unowned let world: World
    private let file: NodeFile

    init(_ world: World, _ connection: Connection, _ file: NodeFile) { (self.world, self.file) = (world, file) }

    func received(_ bytes: [UInt8], on connection: Connection) {
        guard let message: Twinline_Seat_V1_SeatMessage = try? decoded(bytes) else { return }
        var reply = Twinline_Seat_V1_NodeMessage()
        switch message.body {
        case .hello:
            reply.welcome.standing.role = .starting
            reply.welcome.pairID = world.pair.bytes
            reply.welcome.standing.epoch = file.record.epoch.value
        case .beat(let beat) where beat.stamp != 0: reply.beat.echo = beat.stamp
        default: return
        }
        connection.send(encoded(reply), by: self)
    }

    func closed(_ connection: Connection) {}
}
