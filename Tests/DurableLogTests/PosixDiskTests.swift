import Foundation
import Replication
import Testing

@testable import DurableLog

final class PosixDiskTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "twinline-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: folder) }

    @Test("a log on the real disk is read back after opening it again")
    func log() throws {
        let options = EntryLog.Options(segmentSize: 1 << 16)
        var log: EntryLog? = try EntryLog.create(
            in: PosixDirectory(path: folder.path), pairID: pairID, options: options)
        try log?.fill(400, size: 1000)
        while try log?.prepareNextSegment() == true {}
        try log?.cut(to: LSN(300))
        try log?.release(before: LSN(200))
        try log?.fill(200, epoch: 2)
        let entries = try log?.entries()
        log = nil
        let reopened = try EntryLog.open(in: PosixDirectory(path: folder.path), options: options)
        #expect(try reopened.entries() == entries)
        #expect(reopened.last.lsn == LSN(500))
    }

    @Test("a directory in use is refused, and free again when the log is gone")
    func lock() throws {
        var directory: PosixDirectory? = try PosixDirectory(path: folder.path)
        #expect(throws: LogError.locked(path: folder.path)) { try PosixDirectory(path: self.folder.path) }
        #expect(directory != nil)
        directory = nil
        _ = try PosixDirectory(path: folder.path)
    }

    @Test("a missing directory is reported with its path")
    func missing() {
        #expect(throws: LogError.missing(path: "/nonexistent/log")) { try PosixDirectory(path: "/nonexistent/log") }
    }
}
