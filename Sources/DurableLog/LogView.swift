import Replication
import Wire

/// A log as somebody sees it who only looks, beside the node that writes it or without one. Nothing is locked, repaired
/// or written; what a node would cut at its start is here simply where the log ends.
///
/// Meanwhile the node may append, begin a segment, cut the log's tail and let go of its oldest segments. A write that
/// is under way looks like damage, and so does a cut. But a node writes in an order that a later look can tell: what a
/// frame calls synced was written before it, and a cut is on record before it begins. So damage is what looks like it
/// several times, with no cut on record, behind entries that are still what they were.
package final class LogView {
    private static let looks = 3

    private let directory: any ReadableDirectory
    private let buffer = Buffer()
    private var segment: Segment
    private var reader: FrameReader
    /// The entry that was read last.
    private var link: ChainLink
    /// Where a cut goes that is on record and not finished.
    private var limit: LSN?

    /// Begins with the oldest entry.
    /// - Throws: `missing` if there is no log, `damaged`, `newerFormat`, `io`.
    package init(of directory: any ReadableDirectory) throws(LogError) {
        self.directory = directory
        segment = try Self.again({}) { () throws(LogError) in
            try Self.open(try Self.starts(in: directory)[0], in: directory)
        }
        reader = FrameReader(segment, buffer: buffer)
        link = segment.header.before
        limit = try Self.unfinishedCut(in: directory)
    }

    package var pairID: RandomID { segment.header.pairID }
    /// The entry that was read last, or that this place follows.
    package var last: Position { link.position }
    /// The LSN of the next entry, if there is one.
    package var next: LSN { link.position.lsn.next }

    /// What was read ahead may have been written anew since: it is read again.
    package func refresh() { reader = FrameReader(segment, buffer: buffer) }

    /// The first LSN of each segment, ascending; never empty.
    package func starts() throws(LogError) -> [LSN] { try Self.starts(in: directory) }

    /// Goes to the beginning of the segment where this entry is or would come, or else of the oldest.
    package func seek(to lsn: LSN) throws(LogError) {
        try lookingAgain { () throws(LogError) in
            let starts = try starts()
            go(to: try Self.open(starts.last { $0 <= lsn } ?? starts[0], in: directory))
        }
    }

    /// The next entry; nil where the log ends now.
    /// - Throws: `damaged`; `released` if the node has let go of the segment meanwhile, `changed` if it has cut what
    ///   was read here.
    package func read() throws(LogError) -> EntryFrame? {
        try lookingAgain { () throws(LogError) in
            while true {
                if let limit, link.position.lsn >= limit {
                    self.limit = try Self.unfinishedCut(in: directory)
                    if self.limit == limit { return nil }
                }
                if let frame = try frame() { return frame }
                if try !goOn() { return nil }
            }
        }
    }

    /// The entry that follows, if it is in this segment.
    private func frame() throws(LogError) -> EntryFrame? {
        guard case .entry(let entry) = try reader.entry(at: segment.end),
            link.precedes(entry.position, chainBefore: entry.chainBefore)
        else { return nil }
        let frame = try reader.frame(of: entry, at: segment.end)
        segment.add(entry.position.lsn, length: entry.length)
        link = ChainLink(entry)
        return frame
    }

    /// To the next segment.
    /// - Returns: false if the log ends here.
    private func goOn() throws(LogError) -> Bool {
        let starts = try starts()
        guard segment.first >= starts[0] else { throw .released(next, first: starts[0]) }
        if next > segment.first, starts.contains(next) {
            let following = try Self.open(next, in: directory)
            guard following.header.before == link else {
                throw following.damaged(at: 24, "the segment does not follow entry \(link.position)")
            }
            go(to: following)
            return true
        }
        // What was at hand may be older than what a look behind it finds.
        reader = FrameReader(segment, buffer: buffer)
        var known = starts.last.map { LSN($0.value - 1) } ?? .zero
        if let behind = try reader.framesAnywhere(from: segment.end) { known = max(known, behind.knownSynced) }
        reader = FrameReader(segment, buffer: buffer)
        if known >= next {
            let reason = "no valid entry \(next), but \(known) was known to be synced"
            throw segment.damaged(at: segment.end, reason)
        }
        return false
    }

    private func go(to segment: Segment) {
        self.segment = segment
        reader = FrameReader(segment, buffer: buffer)
        link = segment.header.before
    }

    /// What can't be may be the node's work: it is looked at again, and whether a cut is on record.
    private func lookingAgain<Result>(_ look: () throws(LogError) -> Result) throws(LogError) -> Result {
        do {
            return try Self.again(
                { () throws(LogError) in
                    limit = try Self.unfinishedCut(in: directory)
                    reader = FrameReader(segment, buffer: buffer)
                }, look)
        } catch {
            if case .damaged = error, try wasCut() { throw .changed(path: directory.path, link.position) }
            throw error
        }
    }

    private static func again<Result>(
        _ prepare: () throws(LogError) -> Void, _ look: () throws(LogError) -> Result
    ) throws(LogError) -> Result {
        for _ in 1..<looks {
            do { return try look() } catch {
                switch error {
                case .damaged, .missing: try prepare()
                default: throw error
                }
            }
        }
        return try look()
    }

    /// Whether the entry that was read last is no longer in the log.
    private func wasCut() throws(LogError) -> Bool {
        guard try starts().contains(segment.first) else { return true }
        var now = try Self.open(segment.first, in: directory)
        guard now.header == segment.header else { return true }
        reader = FrameReader(now, buffer: buffer)
        var found = now.header.before
        while found.position.lsn < link.position.lsn, case .entry(let entry) = try reader.entry(at: now.end) {
            now.add(entry.position.lsn, length: entry.length)
            found = ChainLink(entry)
        }
        return found != link
    }

    // MARK: files

    private static func starts(in directory: any ReadableDirectory) throws(LogError) -> [LSN] {
        let starts = try directory.names().compactMap { SegmentHeader.first(named: $0) }.sorted()
        guard !starts.isEmpty else { throw .missing(path: directory.path(of: SegmentHeader.name(LSN(1)))) }
        return starts
    }

    private static func open(_ first: LSN, in directory: any ReadableDirectory) throws(LogError) -> Segment {
        let name = SegmentHeader.name(first)
        let file = try directory.open(name)
        return Segment(try SegmentHeader(of: file, named: name), file: file, capacity: try file.size())
    }

    private static func unfinishedCut(in directory: any ReadableDirectory) throws(LogError) -> LSN? {
        EntryLog.unfinishedCut(in: try DurableRecord.look(at: EntryLog.cutRecordName, in: directory))
    }
}
