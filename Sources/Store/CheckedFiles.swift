import CSQLiteSession
import Glibc
import Synchronization

/// SQLite's way to the disk (a VFS, sqlite.org/vfs.html) with page checksums: the system's own, which reads and writes
/// of the database's file pass through on their way. SQLite's write-ahead log has checksums of its own.
enum CheckedFiles {
    static let name = "twinline"

    /// Nil: this connection may be opened; else why not. The first call registers it.
    static let failure: Int32? = register(name, before: nil)

    /// Before the system's own, or before another VFS.
    private static func register(_ name: String, before next: String?) -> Int32? {
        guard let system = sqlite3_vfs_find(next) else { return SQLITE_ERROR }
        // For the process's whole life: SQLite keeps the pointers.
        let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        vfs.initialize(to: system.pointee)
        vfs.pointee.pNext = nil
        vfs.pointee.zName = UnsafePointer(strdup(name))
        vfs.pointee.pAppData = UnsafeMutableRawPointer(system)
        vfs.pointee.szOsFile = system.pointee.szOsFile + Int32(MemoryLayout<sqlite3_file>.size)
        vfs.pointee.xOpen = open
        let code = sqlite3_vfs_register(vfs, 0)
        return code == SQLITE_OK ? nil : code
    }

    /// Databases that lie in the files of another VFS.
    private static let elsewhere = Mutex<(path: String, next: String, name: String)?>(nil)

    /// The VFS that a database at this path is opened through.
    static func name(for path: String) -> String {
        elsewhere.withLock { $0.flatMap { path.hasPrefix($0.path) ? $0.name : nil } } ?? name
    }

    /// Nil: the path is the system's own, and is to be looked for there.
    static func existsElsewhere(_ path: String) -> Bool? {
        guard let next = elsewhere.withLock({ $0.flatMap { path.hasPrefix($0.path) ? $0.next : nil } }),
            let vfs = sqlite3_vfs_find(next)
        else { return nil }
        var found: Int32 = 0
        return vfs.pointee.xAccess(vfs, path, SQLITE_ACCESS_EXISTS, &found) == SQLITE_OK && found != 0
    }

    static func keep(below path: String, in next: String) -> Bool {
        let name = name + "-" + next
        guard register(name, before: next) == nil else { return false }
        elsewhere.withLock { $0 = (path, next, name) }
        return true
    }

    private static let open:
        @convention(c) (
            UnsafeMutablePointer<sqlite3_vfs>?, sqlite3_filename?, UnsafeMutablePointer<sqlite3_file>?, Int32,
            UnsafeMutablePointer<Int32>?
        ) -> Int32 = { vfs, name, file, flags, outFlags in
            guard let file, let system = vfs?.pointee.pAppData?.assumingMemoryBound(to: sqlite3_vfs.self) else {
                return SQLITE_MISUSE
            }
            // The write-ahead log and what else there may be.
            guard flags & SQLITE_OPEN_MAIN_DB != 0 else {
                return system.pointee.xOpen(system, name, file, flags, outFlags)
            }
            let code = system.pointee.xOpen(system, name, twinline_next_file(file), flags, outFlags)
            // Without methods SQLite does not close it.
            file.pointee.pMethods = code == SQLITE_OK ? UnsafePointer(methods) : nil
            return code
        }

    /// What a result code says of a page, if it was met on this thread.
    static func error(_ code: Int32, path: String) -> StoreError? {
        guard code == damagedData else { return nil }
        return .damaged(path: path, message: "page \(damagedPage) is not what was written")
    }

    /// The page that was last found to be damaged, on this thread: SQLite has no way to hand it on.
    static var damagedPage: Int {
        get { Int(bitPattern: pthread_getspecific(damagedPageKey)) }
        set { pthread_setspecific(damagedPageKey, UnsafeRawPointer(bitPattern: newValue)) }
    }

    private static let damagedPageKey: pthread_key_t = {
        var key = pthread_key_t()
        let result = pthread_key_create(&key, nil)
        precondition(result == 0, "no room for a thread's own value: errno \(result)")
        return key
    }()
}

extension UnsafeMutablePointer<sqlite3_file> {
    /// The system's own file behind it, and its methods.
    var next: (file: UnsafeMutablePointer<sqlite3_file>, methods: sqlite3_io_methods) {
        let file = twinline_next_file(self)!
        return (file, file.pointee.pMethods.pointee)
    }
}

/// For a simulator: databases whose files are its own.
package enum DatabaseLibrary {
    /// Databases whose path begins like this are opened through another VFS of SQLite's than the system's; their pages
    /// are checked all the same. Once, and for one VFS.
    /// - Parameter register: makes the VFS known to SQLite, and gives SQLite's result code.
    /// - Returns: whether that could be done.
    package static func keep(below path: String, in vfs: String, register: () -> Int32) -> Bool {
        // To be said before anything else that SQLite does.
        _ = Connection.libraryIsSetUp
        return register() == SQLITE_OK && CheckedFiles.keep(below: path, in: vfs)
    }

    /// What SQLite draws at random from here on, so that a run can be repeated: salts of its write-ahead log, which no
    /// result depends on.
    package static func seed(_ number: Int32) { _ = twinline_seed(number) }
}
