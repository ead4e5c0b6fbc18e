import CSQLiteSession
import Wire

// What SQLite asks of the database's file: pages are checked and stamped, everything else is passed on.
extension CheckedFiles {
    /// For the process's whole life. Version 2: with shared memory for the write-ahead log, and without memory mapping,
    /// which would go round the checks. `nonisolated(unsafe)`: filled before anybody sees it, and only read from then
    /// on.
    nonisolated(unsafe) static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(
            to: sqlite3_io_methods(
                iVersion: 2,
                xClose: { $0!.next.methods.xClose($0!.next.file) },
                xRead: { CheckedFiles.read($0!, $1!, Int($2), $3) },
                xWrite: { CheckedFiles.write($0!, $1!, Int($2), $3) },
                xTruncate: { $0!.next.methods.xTruncate($0!.next.file, $1) },
                xSync: { $0!.next.methods.xSync($0!.next.file, $1) },
                xFileSize: { $0!.next.methods.xFileSize($0!.next.file, $1) },
                xLock: { $0!.next.methods.xLock($0!.next.file, $1) },
                xUnlock: { $0!.next.methods.xUnlock($0!.next.file, $1) },
                xCheckReservedLock: { $0!.next.methods.xCheckReservedLock($0!.next.file, $1) },
                xFileControl: { $0!.next.methods.xFileControl($0!.next.file, $1, $2) },
                xSectorSize: { $0!.next.methods.xSectorSize($0!.next.file) },
                xDeviceCharacteristics: { $0!.next.methods.xDeviceCharacteristics($0!.next.file) },
                xShmMap: { $0!.next.methods.xShmMap($0!.next.file, $1, $2, $3, $4) },
                xShmLock: { $0!.next.methods.xShmLock($0!.next.file, $1, $2, $3) },
                xShmBarrier: { $0!.next.methods.xShmBarrier($0!.next.file) },
                xShmUnmap: { $0!.next.methods.xShmUnmap($0!.next.file, $1) },
                xFetch: nil, xUnfetch: nil))
        return methods
    }()

    /// A whole page, or the file's header alone, which SQLite looks at for the size of a page before it knows of its
    /// write-ahead log. That is passed on as it is: a power cut in the middle of a checkpoint may have left the first
    /// page half written, and the log has all of it. Whatever else SQLite takes from there it reads with all of it.
    private static func read(
        _ file: UnsafeMutablePointer<sqlite3_file>, _ target: UnsafeMutableRawPointer, _ count: Int,
        _ offset: sqlite3_int64
    ) -> Int32 {
        let (next, methods) = file.next
        if count == PageChecksums.pageSize, Int(offset) % count == 0 {
            let code = methods.xRead(next, target, Int32(count), offset)
            // Short: beyond the file's end, and zeros by SQLite's own rule.
            guard code == SQLITE_OK else { return code }
            return isSound(target, at: offset) ? code : damaged(at: offset)
        }
        // Pages of another size: so says a header that is not what was written.
        guard Int(offset) + count <= headerSize else { return damaged(at: offset) }
        return methods.xRead(next, target, Int32(count), offset)
    }

    private static let headerSize = 100

    private static func write(
        _ file: UnsafeMutablePointer<sqlite3_file>, _ source: UnsafeRawPointer, _ count: Int, _ offset: sqlite3_int64
    ) -> Int32 {
        let (next, methods) = file.next
        if count == PageChecksums.pageSize {
            // SQLite's own buffer, whose last bytes it neither uses nor checks: a copy would cost as much as the sum.
            let page = UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(mutating: source), count: count)
            PageChecksums.stamp(page, number: number(at: offset))
        }
        return methods.xWrite(next, source, Int32(count), offset)
    }

    // SQLITE_IOERR_DATA, whose definition Swift does not see.
    static let damagedData = SQLITE_IOERR | (32 << 8)

    private static func number(at offset: sqlite3_int64) -> UInt32 {
        UInt32(truncatingIfNeeded: offset / Int64(PageChecksums.pageSize) + 1)
    }

    private static func isSound(_ page: UnsafeMutableRawPointer, at offset: sqlite3_int64) -> Bool {
        let page = UnsafeRawBufferPointer(start: page, count: PageChecksums.pageSize)
        return PageChecksums.isValid(page, number: number(at: offset))
    }

    private static func damaged(at offset: sqlite3_int64) -> Int32 {
        damagedPage = Int(number(at: offset))
        return damagedData
    }
}
