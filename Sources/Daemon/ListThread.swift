import Engine
import Replication
import Store
import Synchronization
import Tickets

/// Runs a `ListFeed` on a thread of its own, and wakes it when there may be something to tell.
final class ListThread: Sendable {
    private enum Order: Sendable { case take([PendingRead]), look, stop }

    /// Questions that wait, of all seats together; more are put off. A thousand seats may follow a few lists each.
    private static let limit = 16_384

    private let orders = Mailbox<Order>()
    private let waiting = Atomic(0)
    /// The thread has been told to look, and has not begun to.
    private let isTold = Atomic(false)
    private let deliver: @Sendable ([ReadAnswer]) -> Void

    init(deliver: @escaping @Sendable ([ReadAnswer]) -> Void) { self.deliver = deliver }

    func take(_ reads: [PendingRead]) {
        guard waiting.load(ordering: .relaxed) + reads.count <= Self.limit else {
            return deliver(reads.map { $0.answered(.notNow(.overloaded)) })
        }
        waiting.add(reads.count, ordering: .relaxed)
        orders.post(.take(reads))
    }

    /// Something was applied, or a second has passed. Costs next to nothing while nobody follows a list.
    func look() {
        guard waiting.load(ordering: .relaxed) > 0, !isTold.exchange(true, ordering: .acquiringAndReleasing) else {
            return
        }
        orders.post(.look)
    }

    func stop() { orders.post(.stop) }

    func run(_ feed: ListFeed, failed: @Sendable (WorkerFailure) -> Void) {
        while true {
            let taken = orders.takeAll()
            isTold.store(false, ordering: .releasing)
            for order in taken {
                switch order {
                case .take(let reads): for read in reads { feed.take(read, at: monotonicNow()) }
                case .look: break
                case .stop: return
                }
            }
            do throws(StoreError) {
                let answers = try feed.look(at: monotonicNow(), time: wallClockNow())
                waiting.subtract(answers.count, ordering: .relaxed)
                if !answers.isEmpty { deliver(answers) }
            } catch {
                // Whatever else it was, it is tried again.
                if case .damaged = error { return failed(WorkerFailure(error)) }
            }
        }
    }
}
