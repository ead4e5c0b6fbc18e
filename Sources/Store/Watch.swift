import CSQLiteSession
import Replication

/// Ends a statement that takes too long or does too much. SQLite asks every thousand of its steps; one call of a
/// function, however long, is one step.
final class Watch {
    enum Verdict { case tooLong, tooMuch }

    private static let steps: Int32 = 1000

    private let clock: () -> Instant
    private let deadline: Instant
    let isTooMuch: () -> Bool
    /// Nil: nothing was ended.
    private(set) var verdict: Verdict?

    init(clock: @escaping () -> Instant, deadline: Instant, isTooMuch: @escaping () -> Bool = { false }) {
        (self.clock, self.deadline, self.isTooMuch) = (clock, deadline, isTooMuch)
    }

    /// As long as the body runs.
    func over<Value>(
        _ connection: Connection, _ body: () throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        sqlite3_progress_handler(
            connection.raw, Self.steps,
            { context in
                guard let context else { return 0 }
                return Unmanaged<Watch>.fromOpaque(context).takeUnretainedValue().ends() ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
        defer { sqlite3_progress_handler(connection.raw, 0, nil, nil) }
        return try body()
    }

    private func ends() -> Bool {
        if isTooMuch() { verdict = .tooMuch } else if clock() >= deadline { verdict = .tooLong }
        return verdict != nil
    }
}
