import Engine
import Replication
import Store
import Synchronization
import Tickets

/// Reads committed data, all that wait in one snapshot, and hands what it finds to the seats' event loops itself. SQL
/// queries, which may take seconds, go to a thread of their own, one after another, and so do questions for changes,
/// which wait.
final class ReaderThread: ReadWorker, Sendable {
    private enum Order: Sendable { case read([PendingRead]), stop }
    private enum QueryOrder: Sendable { case read(PendingRead, SQLQuery), stop }

    /// Queries beyond so many wait at whoever sent them instead.
    private static let queryLimit = 64

    private let orders = Mailbox<Order>()
    private let queries = Mailbox<QueryOrder>()
    private let waitingQueries = Atomic(0)
    private let isStopped = Atomic(false)
    private let lists: ListThread
    private let deliver: @Sendable ([ReadAnswer]) -> Void

    init(lists: ListThread, deliver: @escaping @Sendable ([ReadAnswer]) -> Void) {
        (self.lists, self.deliver) = (lists, deliver)
    }

    func read(_ reads: [PendingRead]) {
        guard reads.contains(where: { $0.query.isSQL || $0.query.isChanges }) else { return orders.post(.read(reads)) }
        for read in reads { if case .sql(let query) = read.query { take(read, query) } }
        let changes = reads.filter(\.query.isChanges)
        if !changes.isEmpty { lists.take(changes) }
        let others = reads.filter { !$0.query.isSQL && !$0.query.isChanges }
        if !others.isEmpty { orders.post(.read(others)) }
    }

    private func take(_ read: PendingRead, _ query: SQLQuery) {
        guard waitingQueries.load(ordering: .relaxed) < Self.queryLimit else {
            return deliver([read.answered(.notNow(.overloaded))])
        }
        waitingQueries.add(1, ordering: .relaxed)
        queries.post(.read(read, query))
    }

    /// A query that runs is given up.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        orders.post(.stop)
        queries.post(.stop)
    }

    func run(_ reader: DatabaseReader, failed: @Sendable (WorkerFailure) -> Void) {
        while true {
            var reads: [PendingRead] = []
            for order in orders.takeAll() {
                guard case .read(let more) = order else { return }
                reads.append(contentsOf: more)
            }
            do throws(StoreError) {
                while !reads.isEmpty {
                    let (position, views) = try reader.read(reads.map(\.query))
                    deliver(zip(reads, views).map { $0.answered(.view($1), at: position) })
                    reads.removeFirst(views.count)
                }
            } catch {
                deliver(reads.map { $0.answered(.notNow(.overloaded)) })
                if case .damaged = error { return failed(WorkerFailure(error)) }
            }
        }
    }

    func runQueries(_ reader: QueryReader, failed: @Sendable (WorkerFailure) -> Void) {
        while true {
            for order in queries.takeAll() {
                guard case .read(let read, let query) = order else { return }
                waitingQueries.subtract(1, ordering: .relaxed)
                do throws(StoreError) {
                    let (position, found) = try reader.read(query) { !self.isStopped.load(ordering: .relaxed) }
                    switch found {
                    case _ where isStopped.load(ordering: .relaxed): deliver([read.answered(.notNow(.stopping))])
                    case .success(let rows): deliver([read.answered(.view(.rows(rows)), at: position)])
                    case .failure(let refusal): deliver([read.answered(.refused(refusal), at: position)])
                    }
                } catch {
                    deliver([read.answered(.notNow(.overloaded))])
                    if case .damaged = error { return failed(WorkerFailure(error)) }
                }
            }
        }
    }
}

extension Query {
    var isSQL: Bool { if case .sql = self { true } else { false } }
}
