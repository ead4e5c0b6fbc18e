import Foundation
import Glibc

/// A host's disk: a file system of its own in memory, that can be full and can lose its power.
struct HostDisk: Sendable {
    let path: String
    /// Where the preloaded library keeps what unsynced writes have overwritten: on another file system.
    let undo: String
    private let size: Int

    var data: String { path + "/data" }
    private var lies: String { undo + ".lies" }

    init(_ host: HostName, in directory: URL, megabytes: Int = 1024) throws {
        path = directory.appending(path: "disk-\(host.rawValue)").path
        undo = directory.appending(path: "unsynced-\(host.rawValue)").path
        size = megabytes << 20
        for folder in [path, undo] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        try remount(flags: 0, size: size)
    }

    /// For a process on this host.
    var environment: [String: String] {
        ["TWINLINE_POWER_DISK": path, "TWINLINE_POWER_UNDO": undo, "TWINLINE_POWER_LIES": lies]
    }

    /// Not one page more, from one moment to the next.
    func fill() throws {
        for _ in 0..<100 {
            var status = statvfs()
            guard statvfs(path, &status) == 0 else { break }
            let used = Int(status.f_blocks - status.f_bfree) * Int(status.f_frsize)
            // Refused if meanwhile more is in use.
            if (try? remount(flags: UInt(MS_REMOUNT), size: used)) != nil { return }
        }
        throw Failure("can't fill \(path): \(String(cString: strerror(errno)))")
    }

    func makeRoom() throws { try remount(flags: UInt(MS_REMOUNT), size: size) }

    /// Nothing may be put back by a later power cut that was there before.
    func wipe() throws {
        try FileManager.default.removeItem(atPath: data)
        for name in try FileManager.default.contentsOfDirectory(atPath: undo) { unlink(undo + "/" + name) }
    }

    /// A sync says that it has done its work, and has not.
    func startLying() throws { try Data().write(to: URL(filePath: lies)) }
    func stopLying() throws { try FileManager.default.removeItem(atPath: lies) }

    private func remount(flags: UInt, size: Int) throws {
        guard mount("tmpfs", path, "tmpfs", flags, "size=\(size)") == 0 else {
            throw Failure("can't mount a disk at \(path): \(String(cString: strerror(errno)))")
        }
    }
}
