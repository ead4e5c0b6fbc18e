import Engine
import Replication
import Store
import Tickets
import Wire

/// The database's worker: the daemon's writer thread on simulated time.
final class DatabaseDisk: DatabaseWorker {
    private enum Order { case take(UInt64), pause(NotNow), refuse, commit(Position), rollback, apply([EntryFrame]) }

    unowned let process: NodeProcess
    let database: ReplicatedDatabase
    private var orders: [Order] = []
    private var requests: [PendingWrite] = []
    /// Why requests are not taken; nil: they are.
    private var closed: NotNow? = .notPrimary
    private var reign: UInt64?
    private var isBusy = false
    /// The next piece of work takes this long, and only waits: the disk does not answer.
    var stuckFor: UInt64?
    /// The same, but it is at work.
    var busyFor: UInt64?
    private(set) var stuckSince: Instant?

    init(_ process: NodeProcess, _ database: ReplicatedDatabase) {
        (self.process, self.database) = (process, database)
    }

    /// Nil: taken.
    func submit(_ request: PendingWrite) -> NotNow? {
        if let closed { return closed }
        guard requests.count < 2_000 else { return .overloaded }
        requests.append(request)
        if !isBusy { begin() }
        return nil
    }

    func takeRequests(reign: UInt64) { post(.take(reign)) }
    func commit(_ position: Position) {
        process.world.ledger.ordered([position])
        post(.commit(position))
    }
    func rollback() { post(.rollback) }
    func apply(_ frames: [EntryFrame]) {
        process.world.ledger.ordered(frames.map(\.position))
        post(.apply(frames))
    }

    func refuseRequests() {
        closed = .notPrimary
        post(.refuse)
    }

    func pauseRequests(_ reason: NotNow) {
        closed = reason
        post(.pause(reason))
    }

    private func post(_ order: Order) {
        guard process.hasEffect() else { return }
        orders.append(order)
        if !isBusy { begin() }
    }

    private func begin() {
        guard process.isAlive else { return }
        if let order = orders.first {
            orders.removeFirst()
            work { () throws(StoreError) in try self.carryOut(order) }
            return
        }
        guard let reign, !requests.isEmpty, !database.hasOpenBatch else { return }
        let count = batchCount
        let batch = Array(requests.prefix(count))
        requests.removeFirst(count)
        work { () throws(StoreError) in try self.execute(batch, reign) }
    }

    private var batchCount: Int {
        let alone = requests.prefix(256).firstIndex(where: \.standsAlone)
        return alone.map { max($0, 1) } ?? min(requests.count, 256)
    }

    private func work(_ body: @escaping () throws(StoreError) -> Void) {
        isBusy = true
        let world = process.world
        var time = world.random.draw(world.profile.database)
        if let stuckFor {
            time = stuckFor
            stuckSince = process.now
        } else if let busyFor {
            time = busyFor
        }
        (stuckFor, busyFor) = (nil, nil)
        process.work(nanoseconds: time) { self.attempt(body) }
    }

    private func attempt(_ body: @escaping () throws(StoreError) -> Void) {
        stuckSince = nil
        do throws(StoreError) { try body() } catch .diskFull {
            process.log.roomRefused()
            return process.after(milliseconds: 50) { self.attempt(body) }
        } catch {
            if !process.node.disk.hasCrashed { process.report(.failed(WorkerFailure(error))) }
            process.endIfCrashed()
            return
        }
        isBusy = false
        begin()
    }

    private func carryOut(_ order: Order) throws(StoreError) {
        switch order {
        case .take(let number):
            reign = number
            let isShut = orders.contains {
                if case .refuse = $0 { true } else if case .pause = $0 { true } else { false }
            }
            if !isShut { closed = nil }
        case .pause(let reason): giveBack(reason)
        case .refuse:
            reign = nil
            if database.hasOpenBatch { database.rollBack() }
            giveBack(.notPrimary)
        case .commit(let position):
            if let entry = database.uncommitted {
                try database.apply([entry])
            } else {
                try database.commit(at: position)
            }
            try applied()
        case .rollback: if database.hasOpenBatch { database.rollBack() }
        case .apply(let frames):
            try database.apply(frames.map(\.entry))
            try applied()
        }
    }

    private func giveBack(_ reason: NotNow) {
        process.report(.requestsReturned(requests, reason))
        requests = []
    }

    private func applied() throws(StoreError) {
        process.world.ledger.applied(database, by: process)
        process.report(.applied(through: database.applied.lsn))
        guard process.world.random.below(process.world.profile.checkpointEvery) == 0 else { return }
        try checkpoint()
    }

    /// One that finds no room is made up for by a later one.
    func checkpoint() throws(StoreError) {
        do throws(StoreError) {
            if let position = try database.checkpoint(now: true) {
                process.report(.checkpointed(through: position.lsn))
            }
        } catch .diskFull { process.log.roomRefused() }
    }

    private func execute(_ requests: [PendingWrite], _ reign: UInt64) throws(StoreError) {
        let batch: Batch
        do throws(StoreError) {
            batch = try database.execute(
                requests.map(StoreRequest.init), now: Int64(process.now.nanoseconds / 1_000_000))
        } catch .diskFull {
            process.log.roomRefused()
            return process.report(.requestsReturned(requests, .diskFull))
        }
        process.world.ledger.executed(requests, batch, by: process)
        let answers = zip(requests, batch.outcomes).map { $0.answered(WriteAnswer.Outcome($1)) }
        let changes = batch.changeset.isEmpty ? nil : EntryDraft(payload: batch.changeset)
        process.report(
            .batchExecuted(
                ExecutedBatch(
                    reign: reign, answers: answers, kind: batch.kind, changes: changes, digest: batch.digest)))
    }
}

/// Reads of committed data, a moment after they are ordered.
final class DatabaseReads: ReadWorker {
    unowned let process: NodeProcess
    let reader: DatabaseReader

    init(_ process: NodeProcess, _ reader: DatabaseReader) { (self.process, self.reader) = (process, reader) }

    func read(_ reads: [PendingRead]) {
        guard process.hasEffect() else { return }
        process.after(nanoseconds: process.world.random.draw(process.world.profile.database) / 4) { self.answer(reads) }
    }

    private func answer(_ reads: [PendingRead]) {
        var reads = reads
        do throws(StoreError) {
            while !reads.isEmpty {
                let (position, views) = try reader.read(reads.map(\.query))
                process.deliver(zip(reads, views).map { $0.answered(.view($1), at: position) })
                reads.removeFirst(views.count)
            }
        } catch {
            process.deliver(reads.map { $0.answered(.notNow(.overloaded)) })
            if case .damaged = error { process.report(.failed(WorkerFailure(error))) }
        }
        process.endIfCrashed()
    }
}
