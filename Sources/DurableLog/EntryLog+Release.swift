import Replication

extension EntryLog {
    package var segmentSize: Int { options.segmentSize }

    /// What the log takes up on its disk, spares not counted, in bytes.
    package var size: Int { segments.reduce(0) { $0 + $1.capacity } }

    /// Lets go of the oldest segments that hold only entries below this LSN, as long as they are older than a moment
    /// (seconds since 1970) or the log is larger than so many bytes. The newest synced entry stays, whatever is asked
    /// for: a crash may take all that come after it, and without any entry the log would not tell the digest and the
    /// schema version that the next one continues.
    package func release(
        before lsn: LSN, olderThan moment: Int64 = .max, orAbove limit: Int = .max
    ) throws(LogError) {
        try closingOnFailure { () throws(LogError) in
            let lsn = min(lsn, synced)
            var released = false
            while segments.count > 1 && segments[0].last < lsn {
                guard try segments[0].file.modified() < moment || size > limit else { break }
                try spares.recycle(segments[0])
                // One by one, so that a crash can't leave a gap.
                try directory.sync()
                segments.removeFirst()
                released = true
            }
            guard released else { return }
            let before = starts.lastIndex { $0.lsn <= first } ?? 0
            starts.removeFirst(before)
            if let oldest = starts.first { starts[0] = Position(oldest.epoch, max(oldest.lsn, first)) }
        }
    }
}
