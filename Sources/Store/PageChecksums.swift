import CSQLiteSession
import Glibc
import Planted
import Wire

/// A checksum at the end of each page of the database, so that what a disk has changed is found when it is read, and
/// never answered.
///
/// The last 8 bytes of a page of 4,096: bytes 4088 to 4091 the page's number (from 1), 4092 to 4095 the CRC-32C of the
/// 4,092 bytes before, both big-endian. A page is valid if and only if both are right, or if all of it is zero: room
/// that the file has and the database never used. The number tells a page that was written to another's place.
/// SQLite leaves these bytes alone (`SQLITE_FCNTL_RESERVE_BYTES`; so does its own cksumvfs extension, whose idea this
/// is); any program can read such a file, and one that writes to it breaks the checksums.
enum PageChecksums {
    static let pageSize = 4096
    static let reserved: Int32 = 8

    static func stamp(_ page: UnsafeMutableRawBufferPointer, number: UInt32) {
        page.store(number, at: pageSize - 8)
        page.store(checksum(UnsafeRawBufferPointer(page)), at: pageSize - 4)
    }

    static func isValid(_ page: UnsafeRawBufferPointer, number: UInt32) -> Bool {
        if page.load(at: pageSize - 8) == number, page.load(at: pageSize - 4) == checksum(page) { return true }
        return planted("readAnyPage") || page.allSatisfy { $0 == 0 }
    }

    private static func checksum(_ page: UnsafeRawBufferPointer) -> UInt32 {
        crc32c(UnsafeRawBufferPointer(rebasing: page[..<(pageSize - 4)]))
    }
}
