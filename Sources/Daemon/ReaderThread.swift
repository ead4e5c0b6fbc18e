import Engine
import Replication
import Store

/// Reads committed data, all that wait in one snapshot, and hands what it finds to the seats' event loops itself.
final class ReaderThread: ReadWorker, Sendable {
    private enum Order: Sendable { case read([PendingRead]), stop }
    private let orders = Mailbox<Order>()
    private let deliver: @Sendable ([ReadAnswer]) -> Void

    init(deliver: @escaping @Sendable ([ReadAnswer]) -> Void) { self.deliver = deliver }

    func read(_ reads: [PendingRead]) { orders.post(.read(reads)) }
    func stop() { orders.post(.stop) }

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
}
