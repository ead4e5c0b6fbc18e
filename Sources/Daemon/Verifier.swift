import Glibc
import Logging
import Replication
import Store
import Synchronization
import Wire

/// Computes the digest anew from the tables, in a snapshot at one LSN, on a thread of its own, one at a time: the proof
/// that the digest which is kept in passing tells the truth.
final class Verifier: Sendable {
    /// One verification, as whoever asked for it holds it.
    final class Run: Sendable {
        private let state = Mutex<(isCancelled: Bool, wish: SnapshotWish?)>((false, nil))

        /// From any thread. The walk ends within milliseconds.
        func cancel() {
            let wish = state.withLock { state in
                state.isCancelled = true
                return state.wish
            }
            wish?.giveUp()
        }

        var isCancelled: Bool { state.withLock { $0.isCancelled } }

        fileprivate func wait(for wish: SnapshotWish) -> SnapshotWish.State {
            let isCancelled = state.withLock { state in
                state.wish = wish
                return state.isCancelled
            }
            if isCancelled { wish.giveUp() }
            return wish.wait()
        }
    }

    typealias Tell = @Sendable (Twinline_Seat_V1_Verification) -> Void

    private let path: String
    private let writer: WriterThread
    private let log: Logger
    private let interval: UInt64
    private let isBusy = Mutex(false)

    /// - Parameters:
    ///   - path: of the database.
    ///   - interval: between two words on how far the walk is: nanoseconds.
    init(_ path: String, _ writer: WriterThread, log: Logger, interval: UInt64 = 200_000_000) {
        (self.path, self.writer, self.log, self.interval) = (path, writer, log, interval)
    }

    /// - Parameter lsn: where the snapshot is to be taken; nil: at once.
    /// - Parameter tell: called from the verification's thread.
    /// - Returns: nil if another one is under way.
    func begin(at lsn: LSN?, by actor: String, _ tell: @escaping Tell) -> Run? {
        let isFree = isBusy.withLock { isBusy in
            defer { isBusy = true }
            return !isBusy
        }
        guard isFree else { return nil }
        let run = Run()
        startThread("verify") { [self] in
            Priority.set(Priority.background)
            let last = carryOut(run, at: lsn, by: actor, tell)
            isBusy.withLock { $0 = false }
            if let last { tell(last) }
        }
        return run
    }

    /// - Returns: the last word, nil if nobody wants to hear it.
    private func carryOut(
        _ run: Run, at lsn: LSN?, by actor: String, _ tell: Tell
    ) -> Twinline_Seat_V1_Verification? {
        do throws(StoreError) {
            let snapshot = try DatabaseSnapshot(at: path)
            let wish = SnapshotWish(snapshot, at: lsn)
            writer.snapshot(wish)
            switch run.wait(for: wish) {
            case .pending, .givenUp: return nil
            case .failed(let error): throw error
            case .past(let applied): return Twinline_Seat_V1_Verification(.past, at: applied)
            case .taken(let position):
                log.info("verifying the tables", metadata: ["at": "\(position)", "by": "\(actor)"])
                tell(Twinline_Seat_V1_Verification(.walking, at: position))
                let sums = try walk(snapshot, at: position, run, tell)
                snapshot.end()
                guard let sums else {
                    log.info("the verification was given up", metadata: ["at": "\(position)"])
                    return nil
                }
                note(sums)
                return Twinline_Seat_V1_Verification(sums)
            }
        } catch {
            log.error("the verification failed", metadata: ["because": "\(error)"])
            var last = Twinline_Seat_V1_Verification()
            last.stage = .failed
            last.reason = "\(error)"
            return last
        }
    }

    private func walk(
        _ snapshot: DatabaseSnapshot, at position: Position, _ run: Run, _ tell: Tell
    ) throws(StoreError) -> DatabaseSnapshot.Sums? {
        var told = monotonicNow().nanoseconds
        return try withoutActuallyEscaping(tell) { tell throws(StoreError) in
            try snapshot.sums { rows, total in
                let now = monotonicNow().nanoseconds
                if now - told >= self.interval {
                    told = now
                    var word = Twinline_Seat_V1_Verification(.walking, at: position)
                    (word.rows, word.rowsTotal) = (UInt64(rows), UInt64(total))
                    tell(word)
                }
                return !run.isCancelled
            }
        }
    }

    private func note(_ sums: DatabaseSnapshot.Sums) {
        if sums.computed == sums.stored {
            log.info("verified: the tables are what the digest says", metadata: ["at": "\(sums.position)"])
        } else {
            log.error(
                "the tables are not what the digest says; compare both nodes with `twinline verify`",
                metadata: [
                    "at": "\(sums.position)", "computed": "\(sums.computed)", "stored": "\(sums.stored)",
                ])
        }
    }
}

extension Twinline_Seat_V1_Verification {
    init(_ stage: Stage, at position: Position) {
        self.init()
        self.stage = stage
        (positionEpoch, positionLsn) = (position.epoch.value, position.lsn.value)
    }

    init(_ sums: DatabaseSnapshot.Sums) {
        self.init(.done, at: sums.position)
        (computed, stored) = ("\(sums.computed)", "\(sums.stored)")
        tables = sums.tables.map { table in
            var wire = Twinline_Seat_V1_TableSum()
            (wire.table, wire.rows, wire.digest) = (table.name, UInt64(table.rows), "\(table.digest)")
            return wire
        }
        rows = tables.reduce(0) { $0 + $1.rows }
        rowsTotal = rows
    }
}
