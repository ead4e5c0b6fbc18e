import Engine
import Replication
import Store
import Tickets
import Wire

/// The database's one writer. Seats' event loops put requests straight into its inbox; it takes all that wait, executes
/// them in one transaction, and leaves that open until the engine says that the entry is committed.
final class WriterThread: DatabaseWorker, Sendable {
    private enum Order: Sendable {
        case take(reign: UInt64)
        case pause(NotNow)
        case refuse
        case commit(Position)
        case rollback
        case apply([EntryFrame])
        case snapshot(SnapshotWish)
        case stop

        var closes: Bool {
            switch self {
            case .refuse, .pause: true
            case .take, .commit, .rollback, .apply, .snapshot, .stop: false
            }
        }
    }

    private struct Inbox {
        var orders: [Order] = []
        var requests: [PendingWrite] = []
        /// Of `requests`.
        var bytes = 0
        /// Why seats' requests are not taken; nil: they are.
        var closed: NotNow? = .notPrimary
        var isStopping = false
        enum Wait { case nothing, orders, all }
        /// What the thread, if it sleeps, wants to be woken for.
        var wait = Wait.nothing
    }

    /// A batch is at most so many requests …
    private static let batchCount = 256
    /// … and so many bytes of them.
    private static let batchBytes = 1 << 20
    /// Requests beyond so many, or so many bytes of them, wait at their seats instead.
    private static let inboxLimit = 20_000
    private static let inboxBytes = 64 << 20

    let activity = Activity()
    private let inbox = Guarded(Inbox())
    let report: @Sendable (WorkerEvent) -> Void
    let diskFull: @Sendable () -> Void
    private let wallClock: @Sendable () -> Int64

    /// - Parameter wallClock: milliseconds since 1970, for the history's rows.
    /// - Parameter diskFull: told whenever the database is refused room.
    init(
        wallClock: @escaping @Sendable () -> Int64, diskFull: @escaping @Sendable () -> Void = {},
        report: @escaping @Sendable (WorkerEvent) -> Void
    ) {
        self.wallClock = wallClock
        self.diskFull = diskFull
        self.report = report
    }

    func takeRequests(reign: UInt64) { post(.take(reign: reign)) }
    func commit(_ position: Position) { post(.commit(position)) }
    func rollback() { post(.rollback) }
    func apply(_ frames: [EntryFrame]) { post(.apply(frames)) }
    /// Sees to it when the database stands where it is wished.
    func snapshot(_ wish: SnapshotWish) { post(.snapshot(wish)) }

    func stop() {
        inbox.withLock { inbox in
            inbox.isStopping = true
            inbox.orders.append(.stop)
            return ((), wake: inbox.wait != .nothing)
        }
    }

    func refuseRequests() {
        inbox.withLock { inbox in
            inbox.closed = .notPrimary
            inbox.orders.append(.refuse)
            return ((), wake: inbox.wait != .nothing)
        }
    }

    func pauseRequests(_ reason: NotNow) {
        inbox.withLock { inbox in
            inbox.closed = reason
            inbox.orders.append(.pause(reason))
            return ((), wake: inbox.wait != .nothing)
        }
    }

    private func post(_ order: Order) {
        inbox.withLock { inbox in
            inbox.orders.append(order)
            return ((), wake: inbox.wait != .nothing)
        }
    }

    /// From any thread. Nil: taken.
    func submit(_ request: PendingWrite) -> NotNow? {
        inbox.withLock { inbox in
            if let reason = inbox.closed { return (reason, wake: false) }
            guard inbox.requests.count < Self.inboxLimit, inbox.bytes < Self.inboxBytes else {
                return (.overloaded, wake: false)
            }
            inbox.requests.append(request)
            inbox.bytes += request.bytes
            return (nil, wake: inbox.wait == .all)
        }
    }

    /// Runs on the thread that opened the database, until stopped.
    func run(_ database: ReplicatedDatabase) {
        activity.begin()
        var reign: UInt64?
        database.clock = monotonicNow
        var wishes: [SnapshotWish] = []
        var checkpoints = RoomyCheckpoints()
        var expiry = SessionExpiry()
        do throws(StoreError) {
            try checkpoint(database, &checkpoints, now: true)
            while true {
                let ready = reign != nil && !database.hasOpenBatch
                activity.setBusy(false)
                let (orders, requests) = take(requests: ready)
                activity.setBusy(true)
                for (index, order) in orders.enumerated() {
                    switch order {
                    case .take(let number):
                        reign = number
                        openInbox(before: orders[(index + 1)...])
                    case .pause(let reason): report(.requestsReturned(takeBack(), reason))
                    case .refuse:
                        reign = nil
                        if database.hasOpenBatch { database.rollBack() }
                        report(.requestsReturned(takeBack(), .notPrimary))
                    case .commit(let position):
                        guard try commit(database, at: position) else { return }
                        report(.applied(through: position.lsn))
                        wishes.removeAll { $0.look(at: database) }
                        try checkpoint(database, &checkpoints)
                    case .rollback:
                        if database.hasOpenBatch { database.rollBack() }
                    case .apply(let frames):
                        for frames in wishes.first?.split(frames) ?? [frames[...]] {
                            guard try apply(frames.map(\.entry), to: database) else { return }
                            report(.applied(through: database.applied.lsn))
                            wishes.removeAll { $0.look(at: database) }
                        }
                        try checkpoint(database, &checkpoints)
                    case .snapshot(let wish): if !wish.look(at: database) { wishes.append(wish) }
                    case .stop: return
                    }
                }
                guard !requests.isEmpty else { continue }
                guard let reign else {
                    report(.requestsReturned(requests, .notPrimary))
                    continue
                }
                try execute(requests, reign, database, &expiry)
            }
        } catch {
            report(.failed(WorkerFailure(error)))
        }
    }

    /// A refusal that was ordered since stands, whether it was taken together with this order or still waits.
    private func openInbox(before later: ArraySlice<Order>) {
        inbox.withLock { inbox in
            if !later.contains(where: \.closes), !inbox.orders.contains(where: \.closes) { inbox.closed = nil }
            return ((), wake: false)
        }
    }

    /// Somebody wants the thread to end.
    var isToStop: Bool { inbox.withLock { ($0.isStopping, wake: false) } }

    private func take(requests: Bool) -> (orders: [Order], requests: [PendingWrite]) {
        inbox.wait { inbox in
            let taken = requests ? Self.batch(from: &inbox) : []
            guard !inbox.orders.isEmpty || !taken.isEmpty else {
                inbox.wait = requests ? .all : .orders
                return nil
            }
            inbox.wait = .nothing
            defer { inbox.orders = [] }
            return (inbox.orders, taken)
        }
    }

    private func takeBack() -> [PendingWrite] {
        inbox.withLock { inbox in
            defer { (inbox.requests, inbox.bytes) = ([], 0) }
            return (inbox.requests, wake: false)
        }
    }

    private static func batch(from inbox: inout Inbox) -> [PendingWrite] {
        var count = 0
        var bytes = 0
        while count < inbox.requests.count, count < batchCount {
            let next = inbox.requests[count]
            // A schema change is an entry by itself.
            if count > 0, next.standsAlone || bytes + next.bytes > batchBytes { break }
            bytes += next.bytes
            count += 1
            if next.standsAlone { break }
        }
        inbox.bytes -= bytes
        if count == inbox.requests.count {
            defer { inbox.requests = [] }
            return inbox.requests
        }
        defer { inbox.requests.removeFirst(count) }
        return Array(inbox.requests[..<count])
    }

    private func execute(
        _ requests: [PendingWrite], _ reign: UInt64, _ database: ReplicatedDatabase, _ expiry: inout SessionExpiry
    ) throws(StoreError) {
        let batch: Batch
        do throws(StoreError) {
            let now = wallClock()
            var wishes = requests.map(StoreRequest.init)
            if !requests[0].standsAlone, let expiry = expiry.due(at: now) { wishes.append(expiry) }
            batch = try database.execute(wishes, now: now)
        } catch .diskFull {
            // Nothing of it happened, and nothing was proposed.
            diskFull()
            return report(.requestsReturned(requests, .diskFull))
        }
        var answers: [WriteAnswer] = []
        answers.reserveCapacity(requests.count)
        for (request, outcome) in zip(requests, batch.outcomes) {
            answers.append(request.answered(WriteAnswer.Outcome(outcome)))
        }
        let changes = batch.changeset.isEmpty ? nil : EntryDraft(payload: batch.changeset)
        report(
            .batchExecuted(
                ExecutedBatch(
                    reign: reign, answers: answers, kind: batch.kind, changes: changes, digest: batch.digest)))
    }
}
