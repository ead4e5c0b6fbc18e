import Planted
import Replication
import Wire

/// A node's log of entries: append, sync, read, cut, in segments on one disk directory.
///
/// Owned by one thread. It holds the directory's lock for as long as it lives. After an error that leaves in doubt
/// what is on the disk it is closed: every later call throws, and only opening it anew, in a new process if a sync
/// failed, tells what there is.
package final class EntryLog {
    package struct Options: Sendable {
        /// Size of a segment's file, in bytes. A roll costs four syncs, so not too small; recovery looks at the whole
        /// last segment, and space is given back a segment at a time, so not too large.
        package var segmentSize = 64 << 20
        /// How many segment files are kept for the next rolls.
        package var spares = 2

        package init(segmentSize: Int = 64 << 20, spares: Int = 2) {
            precondition(segmentSize > SegmentHeader.size, "a segment of \(segmentSize) bytes")
            (self.segmentSize, self.spares) = (segmentSize, spares)
        }
    }

    package let pairID: RandomID
    package var path: String { directory.path }
    /// The end of the log: its last entry, or what comes before the first while there is none.
    package internal(set) var end: ChainLink
    /// Newest LSN that is on this disk for certain. Invariant: synced <= last.
    package internal(set) var synced: LSN

    let directory: any DiskDirectory
    let options: Options
    /// In LSN order, without gaps; never empty. Entries go to the last one.
    var segments: [Segment]
    /// The first position of every epoch in the log.
    var starts: [Position]
    var spares: Spares
    /// Where a cut goes that is not finished (`cut(to:)`).
    let cutRecord: DurableRecord
    let buffer = Buffer()
    /// Called whenever a part of a long frame has reached the disk.
    package var worked: () -> Void = {}
    private var isClosed = false

    package var last: Position { end.position }
    package var lastChain: UInt64 { end.chain }
    /// The oldest retained LSN: of the next entry while the log is empty.
    package var first: LSN { segments[0].first }
    var lastIndex: Int { segments.count - 1 }

    /// The first position of every epoch in the log, ascending. The oldest one's is the oldest that is retained.
    package func epochStarts() -> [Position] { starts }

    /// Takes over what recovery found.
    init(
        _ recovery: Recovery, pairID: RandomID, directory: any DiskDirectory, options: Options, spares: Spares,
        cutRecord: DurableRecord
    ) {
        (self.pairID, self.directory, self.options) = (pairID, directory, options)
        (self.spares, self.cutRecord) = (spares, cutRecord)
        (segments, starts, end, synced) = (recovery.segments, recovery.starts, recovery.end, recovery.end.position.lsn)
    }

    /// Makes everything appended so far survive a power cut. One fdatasync: 0.03 ms here, some milliseconds on a disk.
    /// - Returns: the newest LSN that is now on the disk.
    /// - Throws: `LogError.syncFailed`. The log is then closed: after a failed sync nobody knows what is on the disk
    ///   (PostgreSQL's "fsyncgate", 2018), so it is never tried again; the node must stop and recover from its twin.
    package func sync() throws(LogError) -> LSN {
        try closingOnFailure { () throws(LogError) in
            do throws(LogError) { if synced < last.lsn { try segments[lastIndex].file.sync() } } catch {
                if !planted("goOnAfterAFailedSync") { throw error }
            }
            synced = last.lsn
            return synced
        }
    }

    /// Does what keeps the next roll fast, for a millisecond or so; for when there is nothing else to do.
    /// - Returns: whether there is more to do.
    package func prepareNextSegment() throws(LogError) -> Bool {
        try closingOnFailure { () throws(LogError) in try spares.prepare() }
    }

    /// Runs what must not leave the log in use when it fails half way.
    func closingOnFailure<Result>(_ body: () throws(LogError) -> Result) throws(LogError) -> Result {
        guard !isClosed else { throw .closed(path: path) }
        do {
            return try body()
        } catch {
            switch error {
            case .full, .outOfOrder, .released: break
            default: isClosed = true
            }
            throw error
        }
    }
}
