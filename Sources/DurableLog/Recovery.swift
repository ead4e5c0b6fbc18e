import Planted
import Replication
import Wire

/// What is in the segments: found, judged by the rules of SegmentHeader.swift, and put on the disk again.
struct Recovery {
    private(set) var segments: [Segment] = []
    private(set) var starts: [Position] = []
    private(set) var end: ChainLink
    /// The highest LSN that a valid frame, or the last segment's header, calls synced.
    private var knownSynced: LSN
    /// Where the last valid frame of the last segment ends, behind a tear too.
    private var used = SegmentHeader.size
    private let buffer = Buffer()

    /// Reads the whole log: about a second per gigabyte.
    /// - Parameter limit: entries after this one are being cut; what is known of them counts no more.
    /// - Throws: `damaged`, `missing`, `wrongPair`, `newerFormat`, `io`.
    init(
        of files: [(name: String, file: any DiskFile)], expecting pairID: RandomID?, limit: LSN?,
        options: EntryLog.Options
    ) throws(LogError) {
        (end, knownSynced) = (ChainLink(.zero, chain: 0), .zero)
        for (name, file) in files {
            let header = try SegmentHeader(of: file, named: name)
            if let pairID = pairID ?? segments.first?.header.pairID, header.pairID != pairID {
                throw .wrongPair(path: file.path, expected: pairID, found: header.pairID)
            }
            if segments.isEmpty { end = header.before } else { try requireEnd(header.before) }
            knownSynced = header.before.position.lsn
            let isLast = name == files.last?.name
            let capacity = max(try file.size(), isLast ? options.segmentSize : 0)
            segments.append(Segment(header, file: file, capacity: capacity))
            try walk(upTo: limit)
        }
        try judgeTear(limit: limit)
    }

    private mutating func walk(upTo limit: LSN?) throws(LogError) {
        var segment = segments.removeLast()
        defer { segments.append(segment) }
        var reader = FrameReader(segment, buffer: buffer)
        while end.position.lsn < limit ?? LSN(.max), segment.end < segment.capacity {
            guard case .entry(let entry) = try reader.entry(at: segment.end),
                end.precedes(entry.position, chainBefore: entry.chainBefore)
            else { break }
            knownSynced = max(knownSynced, entry.knownSynced)
            segment.add(entry.position.lsn, length: entry.length)
            end = ChainLink(entry)
            if starts.last?.epoch != entry.position.epoch { starts.append(entry.position) }
        }
        used = segment.end
    }

    /// A segment that another one follows is whole.
    private func requireEnd(_ expected: ChainLink) throws(LogError) {
        guard end != expected, let segment = segments.last else { return }
        var reader = FrameReader(segment, buffer: buffer)
        let reason =
            switch try reader.entry(at: segment.end) {
            case .nothing(let reason): reason
            case .entry(let entry): "entry \(entry.position) does not follow \(end.position)"
            }
        let known = "\(expected.position.lsn) was known to be synced"
        throw segment.damaged(at: segment.end, "no valid entry \(end.position.lsn.next), but \(known): \(reason)")
    }

    /// Tells a torn tail from damage.
    private mutating func judgeTear(limit: LSN?) throws(LogError) {
        guard let segment = segments.last else { return }
        var reader = FrameReader(segment, buffer: buffer)
        if let behind = try reader.framesAnywhere(from: segment.end) {
            used = behind.end
            knownSynced = max(knownSynced, behind.knownSynced)
        }
        knownSynced = min(knownSynced, limit ?? knownSynced)
        if planted("damageIsATail") { knownSynced = min(knownSynced, end.position.lsn) }
        if knownSynced > end.position.lsn {
            let known = "\(knownSynced) was known to be synced"
            throw segment.damaged(at: segment.end, "no valid entry \(end.position.lsn.next), but \(known)")
        }
    }

    /// Writes again what the last segment has above the known synced entries, erases what stands behind the end, and
    /// syncs: what can be read is not yet on the disk, for a sync before may have failed (rule R6).
    func settle() throws(LogError) {
        guard let segment = segments.last, !planted("trustWhatWasReadBack") else { return }
        let file = segment.file
        try file.reserve(segment.capacity)
        try segment.header.write(to: file)
        var reader = FrameReader(segment, buffer: buffer)
        var offset = try reader.offset(of: knownSynced.next)
        while offset < segment.end {
            let piece = try buffer.fill(min(1 << 20, segment.end - offset), from: file, at: offset)
            try file.write(piece, at: offset)
            offset += piece.count
        }
        try file.erase(from: segment.end, to: used)
        try file.sync()
    }
}
