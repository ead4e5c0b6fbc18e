import CSQLiteSession

// What SQLite asks of a file.
extension DatabaseFiles {
    /// For the process's whole life. Version 2: with shared memory, without memory mapping. `nonisolated(unsafe)`:
    /// filled before anybody sees it, and only read from then on.
    nonisolated(unsafe) static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(
            to: sqlite3_io_methods(
                iVersion: 2,
                xClose: { DatabaseFiles.close($0!) },
                xRead: { $0!.opened.read($1!, Int($2), at: Int($3)) },
                xWrite: { $0!.opened.write($1!, Int($2), at: Int($3)) },
                xTruncate: { $0!.opened.truncate(to: Int($1)) },
                xSync: { file, _ in file!.opened.sync() },
                xFileSize: { file, size in
                    size?.pointee = Int64(file!.opened.file.bytes.count)
                    return SQLITE_OK
                },
                xLock: { $0!.opened.lock($1) },
                xUnlock: { $0!.opened.unlock(to: $1) },
                xCheckReservedLock: { file, result in
                    result?.pointee = file!.opened.isReserved ? 1 : 0
                    return SQLITE_OK
                },
                xFileControl: { _, _, _ in SQLITE_NOTFOUND },
                // As the system's own VFS says of its disks.
                xSectorSize: { _ in 4096 },
                xDeviceCharacteristics: { _ in SQLITE_IOCAP_POWERSAFE_OVERWRITE },
                xShmMap: { $0!.opened.map(region: Int($1), size: Int($2), extends: $3 != 0, $4) },
                xShmLock: { $0!.opened.lockSlots(Int($1), Int($2), flags: $3) },
                xShmBarrier: { _ in },
                xShmUnmap: { $0!.opened.unmap(deletes: $1 != 0) },
                xFetch: nil, xUnfetch: nil))
        return methods
    }()

    private static func close(_ file: UnsafeMutablePointer<sqlite3_file>) -> Int32 {
        let open = UnsafeMutableRawPointer(file).assumingMemoryBound(to: DatabaseFile.self).pointee.open
        _ = open.takeUnretainedValue().unlock(to: SQLITE_LOCK_NONE)
        open.release()
        return SQLITE_OK
    }
}

extension UnsafeMutablePointer<sqlite3_file> {
    var opened: OpenDatabaseFile {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: DatabaseFile.self).pointee.open.takeUnretainedValue()
    }
}

extension OpenDatabaseFile {
    func read(_ target: UnsafeMutableRawPointer, _ count: Int, at offset: Int) -> Int32 {
        guard lives else { return DatabaseFiles.ioError(1) }
        let found = file.read(into: UnsafeMutableRawBufferPointer(start: target, count: count), at: offset)
        guard found < count else { return SQLITE_OK }
        // SQLite wants the rest to be zero.
        UnsafeMutableRawBufferPointer(start: target + found, count: count - found).initializeMemory(
            as: UInt8.self, repeating: 0)
        return DatabaseFiles.ioError(2)
    }

    func write(_ source: UnsafeRawPointer, _ count: Int, at offset: Int) -> Int32 {
        guard lives, disk.change() else { return DatabaseFiles.ioError(3) }
        guard disk.takeRoom(offset + count - file.bytes.count) else { return SQLITE_FULL }
        file.write(UnsafeRawBufferPointer(start: source, count: count), at: offset)
        return SQLITE_OK
    }

    func truncate(to size: Int) -> Int32 {
        guard lives, disk.change() else { return DatabaseFiles.ioError(6) }
        file.truncate(to: size)
        return SQLITE_OK
    }

    /// With the first one of a write-ahead log its name is synced too, as by the system's own VFS.
    func sync() -> Int32 {
        guard lives, disk.change() else { return DatabaseFiles.ioError(4) }
        guard disk.sync(file, path: path) else { return DatabaseFiles.ioError(4) }
        if isWriteAheadLog, !isNameSynced {
            isNameSynced = true
            disk.syncNames(of: SimulatedDisk.parent(path))
        }
        return SQLITE_OK
    }
}
