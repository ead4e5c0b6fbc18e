import Replication
import Synchronization
import Tickets

/// Taking requests back, and asking whether they happened.
extension SeatClient {
    /// What became of a request, once and for all.
    public enum Fate: Equatable, Sendable {
        /// It did not happen, and never will.
        case never
        /// It had happened. It can't be taken back.
        case done(Done)
        case executed([StatementResult])
        case schemaChanged(version: UInt32)
    }

    /// Did the request of this name happen? Asking uses up the name: if it did not, it never will, even if a copy of it
    /// is still on its way.
    /// - Throws: `SeatError.unknown` when nobody could say within the time given, or nobody can say any more.
    public func withdraw(
        _ name: RequestName, within patience: Duration = usualPatience
    ) async throws(SeatError) -> Fate {
        try await answer { callback in
            self.onLoop { driver in
                driver.ask(patience, { callback($0.fate) }) { $0.withdraw(name, for: $1, by: $2, at: $3) }
            }
        }
    }

    /// Waits for the answer to a wish that is withdrawn when the task is cancelled: what had happened by then is
    /// answered all the same, what had not is refused as `withdrawn`, and never happens.
    func cancellable<Value: Sendable>(
        _ patience: Duration, _ value: @escaping @Sendable (SeatSession.Outcome) -> Result<Value, SeatError>,
        _ wish: @escaping @Sendable (inout SeatSession, SeatSession.Call, Instant, Instant) -> [SeatSession.Directive]
    ) async throws(SeatError) -> Value {
        let request = Cancellation()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { waiting in
                onLoop { driver in
                    let call = driver.ask(patience, { waiting.resume(returning: value($0)) }, wish)
                    if let call, request.begins(call) { driver.cancel(call) }
                }
            }
        } onCancel: {
            onLoop { driver in
                if let call = request.cancels() { driver.cancel(call) }
            }
        }
        return try result.get()
    }
}

/// A call that may be cancelled before it has begun.
private final class Cancellation: Sendable {
    private let state = Mutex<(call: SeatSession.Call?, isCancelled: Bool)>((nil, false))

    /// - Returns: whether it was cancelled before.
    func begins(_ call: SeatSession.Call) -> Bool {
        state.withLock {
            $0.call = call
            return $0.isCancelled
        }
    }

    /// - Returns: what has begun.
    func cancels() -> SeatSession.Call? {
        state.withLock {
            $0.isCancelled = true
            return $0.call
        }
    }
}

extension SeatSession.Outcome {
    fileprivate var fate: Result<SeatClient.Fate, SeatError> {
        switch self {
        case .done(let done): .success(.done(done))
        case .executed(let results): .success(.executed(results))
        case .schemaChanged(let version): .success(.schemaChanged(version: version))
        case .failed(.refused): .success(.never)
        default: failure()
        }
    }
}
