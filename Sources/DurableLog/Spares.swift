/// Segment files that wait for use: recycled ones, and one that is being written with zeros ahead of need. What they
/// hold means nothing until one is given a header and a segment's name.
struct Spares {
    private static let prefix = "spare-"
    /// Zeros written and synced at once: some milliseconds on a disk.
    private static let piece = 1 << 20

    private let directory: any DiskDirectory
    private let segmentSize: Int
    private let limit: Int
    private var ready: [String] = []
    private var growing: (name: String, file: any DiskFile, written: Int)?
    private var named = 0

    /// Takes up what an earlier run left.
    init(in directory: any DiskDirectory, names: [String], options: EntryLog.Options) throws(LogError) {
        (self.directory, segmentSize, limit) = (directory, options.segmentSize, options.spares)
        for name in names where name.hasPrefix(Self.prefix) {
            named = max(named, Int(name.dropFirst(Self.prefix.count)) ?? 0)
            let file = try directory.open(name)
            let size = try file.size()
            if size == segmentSize && ready.count < limit {
                ready.append(name)
            } else if size < segmentSize && growing == nil {
                growing = (name, file, size)
            } else {
                try directory.remove(name)
            }
        }
    }

    /// Goes on preparing a spare, for a millisecond or so, unless there is one.
    /// - Returns: whether there is more to do.
    mutating func prepare() throws(LogError) -> Bool {
        guard ready.isEmpty else { return false }
        if growing == nil {
            let name = nextName()
            growing = (name, try directory.create(name), 0)
        }
        guard var spare = growing else { return false }
        let end = min(spare.written + Self.piece, segmentSize)
        try spare.file.erase(from: spare.written, to: end)
        try spare.file.sync()
        spare.written = end
        growing = spare
        guard end == segmentSize else { return true }
        ready.append(spare.name)
        growing = nil
        return false
    }

    /// A file with room for so many bytes: a spare if there is one of that size, else a new one, slower to sync.
    mutating func take(size: Int) throws(LogError) -> (name: String, file: any DiskFile) {
        if size == segmentSize, let name = ready.popLast() { return (name, try directory.open(name)) }
        let (name, file): (String, any DiskFile)
        if size == segmentSize, let growing {
            (name, file) = (growing.name, growing.file)
            self.growing = nil
        } else {
            name = nextName()
            file = try directory.create(name)
        }
        do {
            try file.reserve(size)
        } catch {
            try directory.remove(name)
            throw error
        }
        return (name, file)
    }

    /// Makes a segment that is no longer needed a spare, or removes it. To be followed by a sync of the directory:
    /// a spare's header is overwritten, so its old name must not come back.
    mutating func recycle(_ segment: Segment) throws(LogError) {
        if segment.capacity == segmentSize && ready.count < limit {
            let name = nextName()
            try directory.rename(segment.name, to: name)
            ready.append(name)
        } else {
            try directory.remove(segment.name)
        }
    }

    private mutating func nextName() -> String {
        named += 1
        return Self.prefix + String(named)
    }
}
