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

    /// A whole page, or part of one: the file's header, before anything else is known of it. A part is checked with its
    /// page; and once more before it counts as damaged, since it may have been read while it was being written.
    private static func read(
        _ file: UnsafeMutablePointer<sqlite3_file>, _ target: UnsafeMutableRawPointer, _ count: Int,
        _ offset: sqlite3_int64
    ) -> Int32 {
        let pageSize = PageChecksums.pageSize
        let start = Int(offset) % pageSize
        guard start + count <= pageSize else { return damaged(at: offset) }
        let (next, methods) = file.next
        if count == pageSize {
            let code = methods.xRead(next, target, Int32(count), offset)
            // Short: beyond the file's end, and zeros by SQLite's own rule.
            guard code == SQLITE_OK else { return code }
            return isSound(target, at: offset) ? code : damaged(at: offset)
        }
        return withUnsafeTemporaryAllocation(byteCount: pageSize, alignment: 8) { page in
            guard let base = page.baseAddress else { return SQLITE_NOMEM }
            for _ in 0..<3 {
                let code = methods.xRead(next, base, Int32(pageSize), offset - Int64(start))
                guard code == SQLITE_OK || code == shortRead else { return code }
                guard code == SQLITE_OK else { return methods.xRead(next, target, Int32(count), offset) }
                guard isSound(base, at: offset) else { continue }
                target.copyMemory(from: base + start, byteCount: count)
                return code
            }
            return damaged(at: offset)
        }
    }

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

    // SQLITE_IOERR_SHORT_READ and SQLITE_IOERR_DATA, whose definitions Swift does not see.
    private static let shortRead = SQLITE_IOERR | (2 << 8)
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
