import Daemon
import Foundation
import NIOCore
import NIOPosix
import Replication
import Transport

/// What no pair can beat on this machine: one sync of the disk, one round trip over TLS.
enum Floor {
    /// Median of fdatasync after writing 4 KiB into a pre-written file, in microseconds.
    static func sync(in directory: URL) throws -> Double {
        let path = directory.appending(path: "floor").path
        let file = open(path, O_RDWR | O_CREAT, 0o600)
        guard file >= 0 else { throw Failure("can't write in \(directory.path): \(String(cString: strerror(errno)))") }
        defer {
            close(file)
            unlink(path)
        }
        let page = [UInt8](repeating: 7, count: 4096)
        var times: [UInt64] = []
        for round in 0..<600 {
            let start = monotonicNow().nanoseconds
            guard pwrite(file, page, page.count, off_t(round % 100 * 4096)) == page.count, fdatasync(file) == 0 else {
                throw Failure("syncing \(path) failed: \(String(cString: strerror(errno)))")
            }
            if round >= 100 { times.append(monotonicNow().nanoseconds - start) }
        }
        return Double(times.sorted()[times.count / 2]) / 1000
    }
}
