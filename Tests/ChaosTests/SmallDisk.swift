import Foundation
import Glibc

@testable import Commands

/// A small file system of its own in memory, for a test to fill. Gone with this object.
final class SmallDisk {
    let path: String
    private var isMounted = false

    /// Whether this machine lets one be mounted: it takes root.
    static let isPossible: Bool = {
        let name = "twinline-\(UInt64.random(in: 0 ... .max))"
        let path = FileManager.default.temporaryDirectory.appending(path: name).path
        defer { rmdir(path) }
        return (try? SmallDisk(at: path, megabytes: 1)) != nil
    }()

    init(at path: String, megabytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
            throw Failure("can't mount a tmpfs at \(path): \(String(cString: strerror(errno)))")
        }
        isMounted = true
    }

    /// Lazily: a process that still has files there keeps them until it ends.
    deinit { if isMounted { umount2(path, Int32(MNT_DETACH)) } }

    private var filler: String { path + "/filler" }

    /// Takes all that is left, down to the last page, within milliseconds.
    func fill() throws {
        let file = open(filler, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure("can't make \(filler): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var size: off_t = 0
        var step: off_t = 64 << 20
        while step >= 4096 {
            if posix_fallocate(file, size, step) == 0 { size += step } else { step /= 2 }
        }
    }

    func makeRoom() { unlink(filler) }
}
