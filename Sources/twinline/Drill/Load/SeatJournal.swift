import Daemon
import Replication
import Seat
import Synchronization
import Tickets

/// What the seats of a drill asked for and were told, while they go on.
final class SeatJournal: Sendable {
    private let state = Mutex<[SeatOperation]>([])

    /// Does what a seat asks for, and keeps what came of it: the place where a history would be written.
    func record(
        _ seat: Int, _ ticket: TicketID, _ call: SeatOperation.Call, _ ask: () async -> SeatOperation.Outcome
    ) async -> SeatOperation.Outcome {
        let invoked = monotonicNow().nanoseconds
        let outcome = await ask()
        let operation = SeatOperation(
            seat: seat, ticket: ticket, call: call, invoked: invoked, completed: monotonicNow().nanoseconds,
            outcome: outcome)
        state.withLock { $0.append(operation) }
        return outcome
    }

    /// In the order in which they were answered.
    var operations: [SeatOperation] { state.withLock { $0 } }
    var count: Int { state.withLock { $0.count } }

    /// Those from a number on.
    func operations(from number: Int) -> [SeatOperation] { state.withLock { Array($0[min(number, $0.count)...]) } }
}
