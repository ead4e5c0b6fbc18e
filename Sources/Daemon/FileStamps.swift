import Glibc
import Transport

/// By which a change of the four TLS files is noticed without reading them.
struct FileStamps: Equatable {
    private struct Stamp: Equatable {
        let device: UInt, inode: UInt, size: Int
        /// Of the content, and of everything else: rights, for one.
        let written: [Int], changed: [Int]
    }

    /// Nil: not there.
    private let stamps: [Stamp?]

    init(_ files: TLSFiles) {
        stamps = [files.certificate, files.key, files.authority, files.revocations].map { $0.flatMap(Self.stamp) }
    }

    private static func stamp(_ path: String) -> Stamp? {
        var found = stat()
        guard stat(path, &found) == 0 else { return nil }
        return Stamp(
            device: UInt(found.st_dev), inode: UInt(found.st_ino), size: Int(found.st_size),
            written: [found.st_mtim.tv_sec, found.st_mtim.tv_nsec],
            changed: [found.st_ctim.tv_sec, found.st_ctim.tv_nsec])
    }
}
