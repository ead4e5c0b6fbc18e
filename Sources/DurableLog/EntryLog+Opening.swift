import Replication

extension EntryLog {
    /// Creates a log in a directory that holds none. Writes its first segment in full.
    /// - Parameter before: what the first entry follows: nothing, or the place that a snapshot was taken at.
    package static func create(
        in directory: any DiskDirectory, pairID: RandomID, before: ChainLink = .origin, options: Options = Options()
    ) throws(LogError) -> EntryLog {
        let names = try directory.names()
        if let name = names.first(where: { SegmentHeader.first(named: $0) != nil }) {
            throw .exists(path: directory.path(of: name))
        }
        let cutRecord = try DurableRecord(in: directory, name: cutRecordName)
        try cutRecord.save([])
        var spares = try Spares(in: directory, names: names, options: options)
        while try spares.prepare() {}
        let header = SegmentHeader(pairID: pairID, before: before)
        _ = try begin(header, size: options.segmentSize, in: directory, spares: &spares)
        return try open(in: directory, expecting: pairID, options: options)
    }

    /// Opens a log, recovers it (SegmentHeader.swift has the rule), finishes a cut that was interrupted, and puts the
    /// end of the log on the disk again. All that it then holds is synced. Reads all of it: a second per gigabyte or
    /// so.
    /// - Throws: `damaged`, and then this node must be reseeded; `missing` if there is no log, `wrongPair`,
    ///   `newerFormat`, `io`, `syncFailed`.
    package static func open(
        in directory: any DiskDirectory, expecting pairID: RandomID? = nil, options: Options = Options()
    ) throws(LogError) -> EntryLog {
        let cutRecord = try DurableRecord(in: directory, name: cutRecordName)
        let limit = unfinishedCut(in: cutRecord.load())
        let names = try directory.names()
        let files = try segments(in: directory, names: names, upTo: limit)
        guard cutRecord.load() != nil else { throw .missing(path: directory.path(of: cutRecordName)) }
        let recovery = try Recovery(of: files, expecting: pairID, limit: limit, options: options)
        try recovery.settle()
        try directory.sync()
        if limit != nil { try cutRecord.save([]) }
        let spares = try Spares(in: directory, names: names, options: options)
        return EntryLog(
            recovery, pairID: recovery.segments[0].header.pairID, directory: directory, options: options,
            spares: spares, cutRecord: cutRecord)
    }

    /// The segments in LSN order. Those that an unfinished cut was to remove are removed.
    private static func segments(
        in directory: any DiskDirectory, names: [String], upTo limit: LSN?
    ) throws(LogError) -> [(name: String, file: any DiskFile)] {
        let found = names.compactMap { name in SegmentHeader.first(named: name).map { (first: $0, name: name) } }
            .sorted { $0.first < $1.first }
        guard let oldest = found.first else { throw .missing(path: directory.path(of: SegmentHeader.name(LSN(1)))) }
        var files: [(name: String, file: any DiskFile)] = []
        for (first, name) in found {
            if let limit, first > limit, first > oldest.first {
                try directory.remove(name)
            } else {
                files.append((name, try directory.open(name)))
            }
        }
        return files
    }
}

extension ChainLink {
    /// Before the first entry of a pair.
    package static let origin = ChainLink(.zero, chain: 0)
}
