import Replication
import Tickets
import Wire

// What the engine has others do, so that the protocol never waits for a disk or for SQL: in the daemon the workers are
// threads, in a simulation they run inline. Orders are carried out one after another, each worker's in its own order;
// what becomes of them comes back as a `WorkerEvent`.

/// The log's disk, and the node's record file beside it.
package protocol LogWorker: AnyObject {
    /// Append and sync: `.logSynced`.
    func append(_ frames: [EntryFrame])
    /// Cut and sync: `.logCut`.
    func cut(to lsn: LSN)
    /// Read entries from this LSN on, at most this many bytes of them but at least one: `.entriesRead`.
    func read(from lsn: LSN, maxBytes: Int, for purpose: ReadPurpose)
    /// Write and sync: `.recordSaved`.
    func save(_ record: NodeRecord)
    /// Lets go of old entries, as the configuration allows: those below `needed` nobody needs any more, those below
    /// `possible` only a standby that has been away for long. `.logReleased`, if there were any.
    func release(before needed: LSN, possible: LSN)
    /// Looks how much room there is: `.roomChanged`, if that has changed.
    func measureRoom()
}

package enum ReadPurpose: Sendable { case shipping, applying, lending }

/// The database's one writer.
package protocol DatabaseWorker: AnyObject {
    /// From now on requests are taken, and each batch says that it was executed in this reign.
    func takeRequests(reign: UInt64)
    /// None for now, and those not yet executed come back as `.requestsReturned`; the open batch stays.
    func pauseRequests(_ reason: NotNow)
    /// No more; those not yet executed come back as `.requestsReturned`, and the open batch is undone.
    func refuseRequests()
    /// Commits the open batch as this entry: `.applied`.
    func commit(_ position: Position)
    /// Undoes the open batch, if there is one.
    func rollback()
    /// Applies entries and commits them: `.applied`.
    func apply(_ frames: [EntryFrame])
    // And from time to time, by itself: `.checkpointed`.
}

/// Reads of committed data; delivers what it finds itself.
package protocol ReadWorker: AnyObject {
    func read(_ reads: [PendingRead])
}

package enum WorkerEvent: Sendable {
    case logSynced(through: LSN)
    /// A part of a long entry is on the disk.
    case logWorked
    /// The log's new end.
    case logCut(to: LSN, tip: LogTip)
    case entriesRead([EntryFrame], for: ReadPurpose)
    case recordSaved(NodeRecord)
    case batchExecuted(ExecutedBatch)
    case requestsReturned([PendingWrite], NotNow)
    case applied(through: LSN)
    /// The database holds everything up to here, whatever happens to the machine.
    case checkpointed(through: LSN)
    /// The log's oldest entry now.
    case logReleased(first: LSN)
    /// The worker can't go on, and so can't the node.
    case failed(WorkerFailure)
    /// The disk has room for more than what is under way, or no longer has.
    case roomChanged(Bool)
}

package enum WorkerFailure: Error, Sendable {
    /// After a failed sync nobody knows what is on the disk.
    case syncFailed(String)
    case damaged(String)
    /// The two nodes' databases differ.
    case copiesDiffer(String)
    case diskFull(String)
    case failed(String)
}

/// The end of the log, as the next entry has to know it.
package struct LogTip: Equatable, Sendable {
    package var position: Position
    package var chain: UInt64
    package var digest: Digest
    package var schemaVersion: UInt32

    package init(position: Position, chain: UInt64, digest: Digest, schemaVersion: UInt32) {
        self.position = position
        self.chain = chain
        self.digest = digest
        self.schemaVersion = schemaVersion
    }

    package init(after frame: EntryFrame) {
        let raise: UInt32 = frame.kind == .schema ? 1 : 0
        self.init(
            position: frame.position, chain: frame.chain, digest: frame.digest,
            schemaVersion: frame.schemaVersion + raise)
    }
}
