import DurableLog
import Engine
import Replication
import Store
import Wire

/// A node's machine: its disk, its clock, and the process that runs on it or does not.
final class SimulatedNode {
    enum State {
        case running(NodeProcess)
        case reseeding(ReseedProcess)
        case down
        /// Its process has ended by itself, and a service manager leaves that to a person.
        case ended(Ending)
    }

    enum Ending: String { case damaged, syncFailed }

    unowned let world: World
    let name: NodeName
    let disk: SimulatedDisk
    let clock: Clock
    let files: NodeFiles
    private(set) var state = State.down
    /// Where its configuration says that the witness is.
    var witness = Host.witness(0)
    /// Counts processes.
    private(set) var life: UInt64 = 0
    private(set) var isPowered = true
    /// A person has made sure of it.
    var staysOff = false
    /// Something on its disk was changed behind its back: what it then finds is no fault of the program.
    var isTampered = false
    private var random: SeededRandom

    init(_ world: World, _ name: NodeName, _ random: SeededRandom) {
        (self.world, self.name, self.random) = (world, name, random)
        disk = SimulatedDisk(seed: self.random.next())
        clock = Clock(self.random.below(1 << 40))
        files = NodeFiles(
            disk: disk, pair: world.pair, node: name,
            options: EntryLog.Options(segmentSize: world.profile.segmentSize, spares: world.profile.spares))
    }

    var host: Host { .node(name) }
    var process: NodeProcess? { if case .running(let process) = state { process } else { nil } }
    var replica: Replica? { process?.engine?.replica }
    var isDown: Bool { if case .down = state { true } else { false } }
    var other: SimulatedNode { world[name.other] }

    var anyProcess: Process? {
        switch state {
        case .running(let process): process
        case .reseeding(let process): process
        case .down, .ended: nil
        }
    }

    // MARK: life

    func start() {
        guard anyProcess == nil, !staysOff else { return }
        if !isPowered {
            isPowered = true
            world.network.powerBack(host)
        }
        life += 1
        disk.kill()
        do throws(NodeFiles.Failure) {
            guard let file = try files.file() else {
                // `twinline reseed`, and then it is started again.
                return begin(reseeding: try files.beginReseeding(disk: newID()))
            }
            if file.isReseeding { return begin(reseeding: file) }
            let opened = try files.open()
            do throws(LogError) {
                let process = try NodeProcess(self, opened, number: random.next() | 1, spareDisk: newID())
                state = .running(process)
                world.note(process, "starts (\(opened.file.record.starts)) with \(opened.log.last)")
                world.ledger.started(process)
                process.start()
            } catch { throw .log(error) }
        } catch { cannotStart(error) }
    }

    private func cannotStart(_ failure: NodeFiles.Failure) {
        if disk.hasCrashed { return end() }
        switch failure {
        case .log(.full), .store(.diskFull):
            disk.kill()
            state = .down
            world.after(1_000_000_000) { if self.isDown { self.start() } }
        case .log(.syncFailed): stop(.syncFailed)
        default:
            guard isTampered else { return world.fail("DAMAGED: \(name) can't start: \(failure)") }
            stop(.damaged)
        }
    }

    func newID() -> RandomID { RandomID(high: random.next(), low: random.next()) }

    private func begin(reseeding file: NodeFile) {
        let process = ReseedProcess(self, file, number: random.next() | 1)
        state = .reseeding(process)
        world.note(host, "is being reseeded")
        process.start()
    }

    /// SIGKILL, or its like.
    func end() {
        anyProcess?.die()
        dropLater()
        disk.kill()
        state = .down
        world.network.frozen[host.number] = false
        world.network.processDied(host)
    }

    private func dropLater() {
        guard let process else { return }
        // What it is in the middle of ends first.
        world.after(0) { process.dismantle() }
    }

    func cutPower(_ loss: PowerLoss) {
        anyProcess?.die()
        dropLater()
        disk.cutPower(loss)
        state = .down
        isPowered = false
        world.network.frozen[host.number] = false
        world.network.powerLost(host)
    }

    func pause() {
        anyProcess?.pause()
        world.network.frozen[host.number] = anyProcess != nil
    }

    func resume() {
        world.network.frozen[host.number] = false
        anyProcess?.resume()
    }

    private func stop(_ ending: Ending) {
        end()
        state = .ended(ending)
        world.note(host, "has ended: \(ending)")
        world.count("ended \(ending)")
    }

    // MARK: what the process says at its end

    func halted(_ process: NodeProcess, _ reason: HaltReason) {
        guard self.process === process else { return }
        world.note(host, "halts: \(reason)")
        switch reason {
        case .reseedNeeded: reseed()
        case .worker(.syncFailed): stop(.syncFailed)
        case .worker(.damaged):
            guard isTampered else { return world.fail("DAMAGED: \(name): \(reason)") }
            stop(.damaged)
        case .worker(.diskFull):
            end()
            world.after(1_000_000_000) { if self.isDown { self.start() } }
        case .worker(.failed) where disk.failedSync != nil: stop(.syncFailed)
        case .violation, .chainDiffers, .worker: world.fail("HALT: \(name): \(reason)")
        }
    }

    /// By itself, or by a person who has seen how it ended: it gives up what it has, and fetches the other's data.
    func reseed() {
        world.count("reseeds")
        end()
        disk.kill()
        do throws(NodeFiles.Failure) {
            begin(reseeding: try files.beginReseeding(disk: newID()))
        } catch { cannotStart(error) }
    }

    /// The copy is in its place.
    func reseeded() {
        isTampered = false
        end()
        world.ledger.forget(name)
        start()
    }

    func dismantle() {
        process?.dismantle()
        state = .down
    }
}
