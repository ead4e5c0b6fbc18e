import DurableLog
import Replication

extension Replica {
    /// A node that has just started, as its files say that it stands: `record` is on disk with its start already
    /// counted, and all of `log` is synced.
    /// - Parameter process: a random number, of this start alone.
    /// - Parameter spareDisk: the id that its disk takes should it turn out to have forgotten something.
    package init(
        _ name: NodeName, record: NodeRecord, log: EntryLog, applied: LSN, process: UInt64, spareDisk: RandomID,
        now: Instant, timings: Timings
    ) throws(LogError) {
        let base = try log.position(at: LSN(log.first.value - 1)) ?? .zero
        self.init(
            name: name, record: record, log: EpochTable(base: base, starts: log.epochStarts(), last: log.last),
            applied: applied, process: process, spareDisk: spareDisk, now: now, timings: timings)
    }
}

extension EntryLog {
    /// Whether it holds what a database holds. It does after any crash, since entries are synced before they are
    /// applied; if not, the log is not that of the database.
    package func holds(_ applied: Position) throws(LogError) -> Bool { try position(at: applied.lsn) == applied }
}
