import CSQLiteSession
import Glibc

/// SQLite's way to the disk (a VFS, sqlite.org/vfs.html) with page checksums: the system's own, which reads and writes
/// of the database's file pass through on their way. SQLite's write-ahead log has checksums of its own.
enum CheckedFiles {
    static let name = "twinline"

    /// Nil: this connection may be opened; else why not. The first call registers it.
    static let failure: Int32? = {
        guard let system = sqlite3_vfs_find(nil) else { return SQLITE_ERROR }
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
    }()

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
