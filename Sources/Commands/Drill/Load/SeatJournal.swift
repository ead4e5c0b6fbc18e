import Daemon
import Histories
import Replication
import Seat
import Synchronization

/// What the seats of a drill asked for and were told, while they go on; all of it is in the run's history, too.
final class SeatJournal: Sendable {
    let history: RunHistory
    private let state = Mutex<[SeatOperation]>([])

    init(_ history: RunHistory) { self.history = history }

    /// Does what a seat asks for, and keeps what came of it.
    func record(
        _ seat: Int, _ call: Call, _ ask: () async throws(SeatError) -> Histories.Answer
    ) async -> Outcome {
        let invoked = monotonicNow().nanoseconds
        let (outcome, error) = await history.record(call, by: seat, ask)
        let operation = SeatOperation(
            seat: seat, call: call, invoked: invoked, completed: monotonicNow().nanoseconds, outcome: outcome,
            error: error)
        state.withLock { $0.append(operation) }
        return outcome
    }

    /// In the order in which they were answered.
    var operations: [SeatOperation] { state.withLock { $0 } }
    var count: Int { state.withLock { $0.count } }

    /// Those from a number on.
    func operations(from number: Int) -> [SeatOperation] { state.withLock { Array($0[min(number, $0.count)...]) } }
}
