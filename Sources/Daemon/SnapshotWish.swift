import Replication
import Store
import Wire

/// A snapshot of the database, wished for at one LSN: both nodes' copies can be compared only where they stand at the
/// same entry. The writer alone knows when that is, and takes it between two transactions; the thread that made the
/// wish waits here.
///
/// `@unchecked Sendable`: while the wish is pending the snapshot is touched only under the lock, afterwards only by the
/// thread that waited.
final class SnapshotWish: @unchecked Sendable {
    enum State: Sendable {
        case pending
        case taken(Position)
        /// The database holds more already.
        case past(Position)
        case failed(StoreError)
        case givenUp
    }

    /// Nil: as the database is when the writer sees the wish.
    private let lsn: LSN?
    private let snapshot: DatabaseSnapshot
    private let state = Guarded(State.pending)

    init(_ snapshot: DatabaseSnapshot, at lsn: LSN?) { (self.snapshot, self.lsn) = (snapshot, lsn) }

    /// On the writer's thread, between two transactions.
    /// - Returns: whether there is nothing more to do.
    func look(at database: ReplicatedDatabase) -> Bool {
        state.withLock { state in
            guard case .pending = state else { return (true, wake: false) }
            let applied = database.applied
            if let lsn, applied.lsn < lsn { return (false, wake: false) }
            if let lsn, applied.lsn > lsn { state = .past(applied) } else { state = take() }
            return (true, wake: true)
        }
    }

    private func take() -> State {
        do throws(StoreError) { return .taken(try snapshot.pin()) } catch { return .failed(error) }
    }

    /// Entries that are to be applied together, in two parts if the snapshot belongs between them.
    func split(_ frames: [EntryFrame]) -> [ArraySlice<EntryFrame>] {
        guard let lsn, let place = frames.firstIndex(where: { $0.position.lsn > lsn }), place > 0 else {
            return [frames[...]]
        }
        return [frames[..<place], frames[place...]]
    }

    func giveUp() {
        state.withLock { state in
            guard case .pending = state else { return ((), wake: false) }
            state = .givenUp
            return ((), wake: true)
        }
    }

    /// Until it is no longer pending.
    func wait() -> State {
        state.wait { state in if case .pending = state { nil } else { state } }
    }
}
