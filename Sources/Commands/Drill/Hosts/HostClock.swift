import Daemon
import Foundation

/// The clocks of the processes on one host, as Deploy/drill/Clock.c shows them: its header describes the file.
final class HostClock {
    let file: URL
    private var words = [Int64](repeating: 0, count: 6)

    init(_ host: HostName, in directory: URL) throws {
        file = directory.appending(path: "clock-\(host.rawValue)")
        try write()
    }

    var environment: [String: String] { ["TWINLINE_CLOCK": file.path] }

    /// The time of day is wrong by so much from now on. Zero: right.
    func set(_ offset: Duration) throws {
        words[1] = offset.components.seconds * 1_000_000_000 + offset.components.attoseconds / 1_000_000_000
        try write()
    }

    /// The monotonic clocks run faster by so many parts of a million from now on, or slower; they never jump.
    func run(fasterBy millionths: Int64) throws {
        let now = Int64(monotonicNow().nanoseconds)
        words[4] += (now - words[3]) / 1_000_000 * words[2] + (now - words[3]) % 1_000_000 * words[2] / 1_000_000
        words[3] = now
        words[2] = millionths
        try write()
    }

    /// In place, since the processes have it mapped; odd meanwhile.
    private func write() throws {
        let isNew = !FileManager.default.fileExists(atPath: file.path)
        if isNew { try Data(count: 48).write(to: file) }
        let handle = try FileHandle(forUpdating: file)
        words[0] += 1
        try put(words[0...0], to: handle, at: 0)
        try put(words[1...], to: handle, at: 8)
        words[0] += 1
        try put(words[0...0], to: handle, at: 0)
        try handle.close()
    }

    private func put(_ words: ArraySlice<Int64>, to handle: FileHandle, at offset: UInt64) throws {
        try handle.seek(toOffset: offset)
        try handle.write(contentsOf: words.withUnsafeBytes { Data($0) })
    }
}
