import Planted
import Replication
import Wire

extension EntryLog {
    static let cutRecordName = "cut"

    /// Drops every entry after this one; the LSN before the first empties the log. When it returns, nothing of them can
    /// come back; if a crash interrupts it, opening the log finishes it. Six syncs or so.
    ///
    /// What is cut may have been synced, so its frames may call each other known to be synced, and no order in which
    /// they are erased would be safe from the rule for damage. Therefore the cut is first put on record.
    /// - Precondition: `lsn` is not above the last entry.
    package func cut(to lsn: LSN) throws(LogError) {
        precondition(lsn <= last.lsn, "cutting to \(lsn), after the last entry \(last)")
        if lsn == last.lsn { return }
        guard let link = try link(at: lsn) else { throw .released(lsn, first: first) }
        try closingOnFailure { () throws(LogError) in
            if !planted("cutWithoutARecord") { try cutRecord.save(Self.encode(lsn)) }
            while segments.count > 1 && segments[lastIndex].first > lsn {
                try directory.remove(segments.removeLast().name)
            }
            try directory.sync()
            let segment = segments[lastIndex]
            var reader = FrameReader(segment, buffer: buffer)
            let offset = try reader.offset(of: lsn.next)
            try segment.file.erase(from: offset, to: segment.end)
            try segment.file.sync()
            segments[lastIndex].cut(to: lsn, end: offset)
            starts.removeAll { $0.lsn > lsn }
            (end, synced) = (link, lsn)
            try cutRecord.save([])
        }
    }

    static func encode(_ lsn: LSN) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 8)
        bytes.withUnsafeMutableBytes { $0.store(lsn.value, at: 0) }
        return bytes
    }

    /// The LSN that an unfinished cut goes to, nil if there is none.
    static func unfinishedCut(in record: [UInt8]?) -> LSN? {
        guard let bytes = record, bytes.count == 8 else { return nil }
        return LSN(bytes.withUnsafeBytes { $0.load(at: 0) })
    }
}
