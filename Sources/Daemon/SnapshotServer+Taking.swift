import DurableLog
import Replication
import Store
import Wire

/// Taking a snapshot, from the question for the ground to the offer.
extension SnapshotServer {
    func begin(_ ground: SnapshotGround?) {
        guard case .pinning = stage else { return }
        guard let ground else {
            waiting?.answer(.notNow(.notLeading, "this node does not lead", againAfter: 1000))
            return drop()
        }
        self.ground = ground
        id = .random()
        do throws(StoreError) {
            let snapshot = try SnapshotFile(of: database, into: directory.path + "/" + name)
            let needed = UInt64(snapshot.size) + Room.reserve(segmentSize: settings.segmentSize)
            if let free = Room.free(at: directory.path), free < needed {
                let text = "a snapshot needs \(needed >> 20) MiB, and \(free >> 20) MiB are free"
                return fail(text, .noRoom, to: waiting)
            }
            log.notice(
                "taking a snapshot for the other node",
                metadata: ["position": "\(snapshot.contents.position)", "MiB": "\(snapshot.size >> 20)"])
            stage = .copying(snapshot, unsynced: 0)
            course = Course()
        } catch { fail("\(error)", to: waiting) }
    }

    func advance() {
        do {
            switch stage {
            case .copying(let snapshot, let unsynced): try copy(snapshot, unsynced)
            case .summing(let made, let offset, let sum): try add(made, offset, sum)
            case .nothing, .pinning, .linking, .ready: break
            }
        } catch { fail("\(error)", to: waiting) }
    }

    private func copy(_ snapshot: SnapshotFile, _ unsynced: Int) throws {
        let more = try snapshot.copy(bytes: Self.stepSize)
        // The first step has made the file, with its name.
        let file = try self.file ?? directory.open(name)
        self.file = file
        let due = unsynced + Self.stepSize >= Self.syncEvery
        if due || !more { try file.sync() }
        prepare(snapshot.done, of: snapshot.size)
        guard !more else {
            stage = .copying(snapshot, unsynced: due ? 0 : unsynced + Self.stepSize)
            return
        }
        try snapshot.finish()
        try file.sync()
        try directory.sync()
        around.pin(snapshot.contents.position.lsn)
        log.notice("the snapshot is taken", metadata: ["position": "\(snapshot.contents.position)"])
        stage = .summing(Made(contents: snapshot.contents, size: try file.size()), offset: 0, sum: 0)
    }

    private func add(_ made: Made, _ offset: Int, _ sum: UInt32) throws {
        guard let file else { return }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.stepSize, alignment: 16)
        defer { buffer.deallocate() }
        let count = try file.read(into: buffer, at: offset)
        prepare(made.size, of: made.size)
        guard count == 0 else {
            let sum = crc32c(UnsafeRawBufferPointer(rebasing: buffer[..<count]), from: sum)
            stage = .summing(made, offset: offset + count, sum: sum)
            return
        }
        stage = .linking(made, sum: sum)
        around.link(made.contents.position.lsn)
    }

    func linked(_ chain: UInt64?) {
        guard case .linking(let made, let sum) = stage, let ground, let file else { return }
        guard let chain else { return fail("the log does not hold \(made.contents.position)", to: waiting) }
        let offer = CopyOffer(
            snapshot: id, pair: pair, position: made.contents.position, chain: chain, digest: made.contents.digest,
            schemaVersion: made.contents.schemaVersion, size: UInt64(made.size), checksum: sum, leads: ground.leads,
            register: ground.register, witness: ground.witness)
        stage = .ready(offer, file)
        course = Course()
        waiting?.answer(.offer(offer))
        waiting = nil
    }

    /// Once a second, so that the other side knows that somebody works.
    private func prepare(_ done: Int, of total: Int) {
        report(UInt64(done), of: UInt64(total), "taking a snapshot for the other node")
        guard monotonicNow() >= saidAt.advanced(byMilliseconds: 1000) else { return }
        saidAt = monotonicNow()
        waiting?.answer(.preparing(done: UInt64(min(done, total)), total: UInt64(total)), ends: false)
    }
}
