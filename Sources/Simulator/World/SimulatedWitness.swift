import Arbitration
import DurableLog
import Replication
import Wire

/// The witness's machine, with the real `Witness` and its record on a disk. One request after another, as on the event
/// loop of the witness's process: whatever comes while the record is being synced waits.
final class SimulatedWitness {
    unowned let world: World
    let host: Host
    let disk: SimulatedDisk
    private(set) var process: WitnessProcess?
    /// Counts starts of the machine.
    private var boots = 1
    private(set) var isPowered = true
    /// A person has made sure of it.
    var staysOff = false
    var isTampered = false
    /// Its record can't be read any more: a person starts a new one, and has it adopted.
    private(set) var isLost = false
    private var random: SeededRandom

    init(_ world: World, _ host: Host, _ random: SeededRandom, registers: [Witness.Pair]) {
        (self.world, self.host, self.random) = (world, host, random)
        disk = SimulatedDisk(seed: self.random.next())
        if !registers.isEmpty {
            let record = Witness.Record(
                id: RandomID(high: self.random.next(), low: self.random.next()), registers: registers)
            try? DurableRecord(in: directory, name: "witness").save(
                WitnessFile(record: record, boot: "\(boots)").bytes)
        }
    }

    private var directory: SimulatedDirectory { SimulatedDirectory(disk, disk.root) }

    /// What its disk says.
    private(set) var record: Witness.Record?
    var register: Register? { record?.registers.first { $0.id == world.pair }?.register }

    func start() {
        guard process == nil, !staysOff else { return }
        if !isPowered {
            isPowered = true
            boots += 1
            world.network.powerBack(host)
        }
        disk.kill()
        do throws(WitnessError) {
            let file = try WitnessRecord(in: directory, boot: "\(boots)") { random.next() }
            let core = file.witness
            record = core.record
            isLost = core.record.registers.isEmpty
            world.note(host, "starts\(core.cautious.isEmpty ? "" : ", cautious")")
            process = WitnessProcess(self, core, file)
            process?.start()
        } catch {
            disk.kill()
            guard isTampered else { return world.fail("DAMAGED: the witness can't start: \(error)") }
            // As its message says: an empty directory, and then adoption.
            world.count("ended damaged")
            wipe()
            start()
        }
    }

    func end() {
        process?.die()
        process = nil
        disk.kill()
        world.network.frozen[host.number] = false
        world.network.processDied(host)
    }

    func cutPower(_ loss: PowerLoss) {
        process?.die()
        process = nil
        disk.cutPower(loss)
        isPowered = false
        world.network.frozen[host.number] = false
        world.network.powerLost(host)
    }

    func wipe() { disk.replace(with: [:]) }

    func saved(_ record: Witness.Record) { self.record = record }
}

final class WitnessProcess: Process {
    private let witness: SimulatedWitness
    private(set) var core: Witness
    private let file: WitnessRecord
    private var clients: [WitnessClientEnd] = []
    private var waiting: [(envelope: WitnessEnvelope, client: UInt64)] = []
    private var isBusy = false
    private var count: UInt64 = 0

    init(_ witness: SimulatedWitness, _ core: Witness, _ file: WitnessRecord) {
        (self.witness, self.core, self.file) = (witness, core, file)
        super.init(witness.world, witness.host, Clock(0))
    }

    func start() {
        world.network.listen(host) { [unowned self] connection in
            self.count += 1
            let client = WitnessClientEnd(self, connection, self.count)
            self.clients.append(client)
            client.send(.welcome(witness: self.core.record.id, start: self.core.start))
            return client
        }
    }

    func take(_ bytes: [UInt8], from client: UInt64) {
        run {
            guard let wire: Twinline_Witness_V1_WitnessRequest = try? decoded(bytes),
                let envelope = try? WitnessEnvelope(wire)
            else { return self.world.fail("the witness can't read a request") }
            // As the daemon's: it ends a connection that means another witness.
            guard envelope.witness == self.core.record.id else { return }
            self.waiting.append((envelope, client))
            self.next()
        }
    }

    private func next() {
        guard !isBusy, !waiting.isEmpty else { return }
        let (envelope, client) = waiting.removeFirst()
        if world.isTracing { world.note(host, "<- \(envelope.request.brief)") }
        perform(
            core.receive(
                envelope.request, pair: envelope.pair, named: NodeFiles.pairName, start: envelope.start,
                client: client))
        next()
    }

    private func perform(_ effects: [Witness.Effect]) {
        for effect in effects {
            switch effect {
            case .answer(let client, let answer):
                clients.first { $0.number == client }?.send(.answer(answer))
            case .save(let record): save(record)
            }
        }
    }

    private func save(_ record: Witness.Record) {
        isBusy = true
        after(nanoseconds: world.random.draw(world.profile.witness)) {
            do throws(LogError) {
                try self.file.save(record, isTrusted: self.core.cautious.isEmpty)
            } catch {
                // A service manager starts it again.
                self.witness.end()
                return self.world.after(200_000_000) { self.witness.start() }
            }
            self.isBusy = false
            self.witness.saved(record)
            self.world.ledger.recorded(record, by: self.witness)
            self.perform(self.core.recordSaved())
            self.next()
        }
    }

    func left(_ client: WitnessClientEnd) { run { self.clients.removeAll { $0 === client } } }
}

/// A node's connection at the witness.
final class WitnessClientEnd: ConnectionOwner {
    private unowned let process: WitnessProcess
    private let connection: Connection
    let number: UInt64

    init(_ process: WitnessProcess, _ connection: Connection, _ number: UInt64) {
        (self.process, self.connection, self.number) = (process, connection, number)
    }

    func send(_ reply: WitnessReply) { connection.send(encoded(Twinline_Witness_V1_WitnessAnswer(reply)), by: self) }
    func received(_ bytes: [UInt8], on connection: Connection) { process.take(bytes, from: number) }
    func closed(_ connection: Connection) { process.left(self) }
}
