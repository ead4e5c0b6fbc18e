import CSQLiteSession
import Store
import Synchronization

/// All simulated disks of this process, by the beginning of their paths: SQLite knows files by name only.
enum SimulatedDisks {
    static let prefix = "/simulated-disk-"
    static let vfs = "simulated"

    /// `@unchecked Sendable`: a disk is looked up and used by the one thread that owns it.
    private final class Known: @unchecked Sendable {
        weak var disk: SimulatedDisk?
        init(_ disk: SimulatedDisk) { self.disk = disk }
    }
    private static let known = Mutex<[String: Known]>([:])
    private static let count = Atomic(0)

    static func newRoot() -> String {
        prefix + String(count.add(1, ordering: .relaxed).newValue)
    }

    static func add(_ disk: SimulatedDisk) {
        known.withLock { [box = Known(disk)] in $0[disk.root] = box }
        _ = isReady
    }

    static func remove(_ root: String) { known.withLock { $0[root] = nil } }

    static func find(_ path: String) -> SimulatedDisk? {
        guard path.hasPrefix(prefix) else { return nil }
        let root = prefix + path.dropFirst(prefix.count).prefix { $0.isNumber }
        return known.withLock { $0[root] }?.disk
    }

    /// Databases on these disks are opened through `DatabaseFiles` from here on.
    private static let isReady: Bool = {
        DatabaseLibrary.keep(below: prefix, in: vfs) { DatabaseFiles.register(as: vfs) }
    }()
}
