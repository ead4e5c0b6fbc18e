import Glibc

/// How much room the data directory's file system has left.
///
/// It is looked at once a second, and a disk may fill up faster. So what is under way needs none: the log's next
/// segments and SQLite's write-ahead log are on the disk beforehand. Whoever meets a full disk all the same reports it
/// (`refuse`), and then the file system's own word for room is not enough: it may lie.
struct Room {
    private let path: String
    /// Below this the disk counts as full: what is under way still fits, a spare segment and SQLite's write-ahead log.
    private let reserve: UInt64
    private(set) var isEnough = true
    /// A write was refused since there was room.
    private var wasRefused = false

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

    /// Tells when it has changed. Full is left only with twice the reserve, so that it does not come and go, and after
    /// a refusal only with the proof.
    mutating func look(_ changed: (Bool) -> Void) {
        guard let free = Self.free(at: path) else { return }
        let hasRoom = free >= (isEnough ? reserve : 2 * reserve)
        guard hasRoom != isEnough, !hasRoom || !wasRefused || canWrite() else { return }
        (isEnough, wasRefused) = (hasRoom, false)
        changed(hasRoom)
    }

    /// The disk was found full by somebody who wrote to it.
    mutating func refuse(_ changed: (Bool) -> Void) {
        wasRefused = true
        guard isEnough else { return }
        isEnough = false
        changed(false)
    }

    /// A megabyte, written and synced to a file that is then removed.
    private func canWrite() -> Bool {
        let name = path + "/spare-room"
        let file = open(name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer {
            close(file)
            unlink(name)
        }
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        return pwrite(file, zeros, zeros.count, 0) == zeros.count && fdatasync(file) == 0
    }
}
