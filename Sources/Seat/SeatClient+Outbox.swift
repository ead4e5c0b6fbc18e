import FoundationEssentials
import NIOCore
import Replication
import Tickets

extension SeatClient {
    /// Calls on this seat's disk that have no answer yet: what the operator sees as "kept, not yet delivered (3)".
    public var undelivered: Int { get async { await onLoopResult { $0.outbox?.waiting ?? 0 } } }

    func keep(
        _ command: Command, within patience: Duration,
        then callback: @escaping @Sendable (Result<Done, SeatError>) -> Void
    ) {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        onLoop { driver in
            guard let outbox = driver.outbox else { return callback(.failure(.unreachable)) }
            outbox.keep(command, within: TimeAmount(patience), at: now, callback)
        }
    }
}
