import CSQLiteSession
import Glibc

/// SQLite's way to simulated disks (a VFS, sqlite.org/vfs.html), beside the system's own: the same files in memory that
/// the log's disk has, with locks and shared memory for the write-ahead log.
enum DatabaseFiles {
    static func register(as name: String) -> Int32 {
        // For the process's whole life: SQLite keeps the pointers.
        let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        vfs.initialize(to: sqlite3_vfs())
        vfs.pointee.iVersion = 2
        vfs.pointee.szOsFile = Int32(MemoryLayout<DatabaseFile>.stride)
        vfs.pointee.mxPathname = 512
        vfs.pointee.zName = UnsafePointer(strdup(name))
        vfs.pointee.xOpen = { _, name, file, flags, outFlags in
            guard let file else { return SQLITE_MISUSE }
            file.pointee.pMethods = nil
            guard let name, let disk = SimulatedDisks.find(String(cString: name)) else { return SQLITE_CANTOPEN }
            return DatabaseFiles.open(String(cString: name), on: disk, file, flags, outFlags)
        }
        vfs.pointee.xDelete = { _, name, syncs in
            guard let name else { return SQLITE_MISUSE }
            let path = String(cString: name)
            guard let disk = SimulatedDisks.find(path), disk.change() else { return DatabaseFiles.ioError(10) }
            guard disk.exists(path) else { return DatabaseFiles.ioError(23) }
            disk.name(nil, path)
            if syncs != 0 { disk.syncNames(of: SimulatedDisk.parent(path)) }
            return SQLITE_OK
        }
        vfs.pointee.xAccess = { _, name, _, result in
            guard let name, let result else { return SQLITE_MISUSE }
            let path = String(cString: name)
            result.pointee = SimulatedDisks.find(path)?.exists(path) == true ? 1 : 0
            return SQLITE_OK
        }
        vfs.pointee.xFullPathname = { _, name, size, target in
            guard let name, let target, strlen(name) < Int(size) else { return SQLITE_CANTOPEN }
            strcpy(target, name)
            return SQLITE_OK
        }
        // SQLite asks its default VFS for these, not this one.
        vfs.pointee.xRandomness = { _, _, _ in 0 }
        vfs.pointee.xSleep = { _, microseconds in microseconds }
        vfs.pointee.xGetLastError = { _, _, _ in 0 }
        vfs.pointee.xCurrentTime = { _, days in
            days?.pointee = 2_460_000.5
            return SQLITE_OK
        }
        vfs.pointee.xCurrentTimeInt64 = { _, milliseconds in
            milliseconds?.pointee = 212_444_640_000_000
            return SQLITE_OK
        }
        return sqlite3_vfs_register(vfs, 0)
    }

    private static func open(
        _ path: String, on disk: SimulatedDisk, _ target: UnsafeMutablePointer<sqlite3_file>, _ flags: Int32,
        _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        let file: SimulatedFile
        if let found = disk.files[path] {
            file = found
        } else {
            guard flags & SQLITE_OPEN_CREATE != 0, disk.change() else { return SQLITE_CANTOPEN }
            file = SimulatedFile()
            disk.name(file, path)
        }
        let open = OpenDatabaseFile(disk, file, path, isWriteAheadLog: flags & SQLITE_OPEN_WAL != 0)
        UnsafeMutableRawPointer(target).assumingMemoryBound(to: DatabaseFile.self).initialize(
            to: DatabaseFile(base: sqlite3_file(pMethods: UnsafePointer(methods)), open: .passRetained(open)))
        outFlags?.pointee = flags
        return SQLITE_OK
    }

    /// SQLITE_IOERR with more said of it, which Swift does not see.
    static func ioError(_ kind: Int32) -> Int32 { SQLITE_IOERR | kind << 8 }
}

/// What SQLite gives room for and hands back: its own part first.
struct DatabaseFile {
    var base: sqlite3_file
    var open: Unmanaged<OpenDatabaseFile>
}

/// A file that a connection has open.
final class OpenDatabaseFile {
    let disk: SimulatedDisk
    let file: SimulatedFile
    let path: String
    let life: Int
    let isWriteAheadLog: Bool
    let state: SharedState
    /// Its name is on the disk for certain.
    var isNameSynced = false
    var lock: Int32 = SQLITE_LOCK_NONE
    /// The slots of the shared memory that this connection has locked: shared, exclusive.
    var (sharedSlots, exclusiveSlots): (UInt8, UInt8) = (0, 0)
    var isMapped = false

    init(_ disk: SimulatedDisk, _ file: SimulatedFile, _ path: String, isWriteAheadLog: Bool) {
        (self.disk, self.file, self.path, life) = (disk, file, path, disk.life)
        self.isWriteAheadLog = isWriteAheadLog
        state = file.sharedState(life: life)
    }

    /// Its process runs.
    var lives: Bool { life == disk.life && !disk.hasCrashed }
}
