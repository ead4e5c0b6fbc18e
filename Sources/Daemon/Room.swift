import Glibc

/// How much room the data directory's file system has left.
struct Room {
    private let path: String
    /// Below this the disk counts as full: what is under way still fits, a spare segment and SQLite's write-ahead log.
    private let reserve: UInt64
    private var enough = true

    init(path: String, segmentSize: Int) {
        self.path = path
        reserve = Self.reserve(segmentSize: segmentSize)
    }

    static func reserve(segmentSize: Int) -> UInt64 { UInt64(2 * segmentSize) + 32 << 20 }

    /// In bytes. Nil: the file system does not say.
    static func free(at path: String) -> UInt64? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    /// Tells when it has changed. Full is left only with twice the reserve, so that it does not come and go.
    mutating func look(_ changed: (Bool) -> Void) {
        guard let free = Self.free(at: path) else { return }
        let hasRoom = free >= (enough ? reserve : 2 * reserve)
        guard hasRoom != enough else { return }
        enough = hasRoom
        changed(hasRoom)
    }
}
