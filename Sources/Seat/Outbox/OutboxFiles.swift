import DurableLog
import Glibc
import Synchronization

/// The directory of an outbox: a file for each call, whole or not there. One program at a time.
///
/// A call is in the outbox once its file has its name on the disk; until then it was not accepted from anybody.
package final class OutboxFiles: Sendable {
    /// Nil: given back. It is locked for as long as this is there.
    private let held: Mutex<PosixDirectory?>
    private let path: String

    private static let suffix = ".call", unfinished = ".new", damaged = ".damaged"
    private static let unknown = ".unknown"

    /// - Throws: `SeatError.misconfigured` when it can't be used, or somebody uses it.
    package init(path: String) throws(SeatError) {
        self.path = path
        do throws(LogError) {
            held = Mutex(try PosixDirectory(path: path))
        } catch .locked {
            throw .misconfigured("another program uses the outbox \(path): give each seat program its own")
        } catch {
            throw .misconfigured("can't use the outbox \(path): \(error) Make the directory, or correct its rights")
        }
    }

    /// From now on another program may have it.
    package func release() { held.withLock { $0 = nil } }

    private func directory() throws(LogError) -> PosixDirectory {
        guard let directory = held.withLock({ $0 }) else { throw .io(path: path, operation: "using", errno: EBADF) }
        return directory
    }

    /// What is kept, oldest first. A damaged file is set aside under another name, and the others go on.
    package func load() throws(LogError) -> (calls: [KeptCall], damaged: [String]) {
        let directory = try directory()
        var calls: [KeptCall] = [], damaged: [String] = []
        for name in try directory.names().sorted() {
            // Its keeping was interrupted: nobody was told that it is kept.
            if name.hasSuffix(Self.unfinished) { try directory.remove(name) }
            guard name.hasSuffix(Self.suffix), let number = UInt64(name.dropLast(Self.suffix.count)) else { continue }
            if let call = KeptCall(number, try content(of: name, in: directory)) {
                calls.append(call)
            } else {
                try directory.rename(name, to: name + Self.damaged)
                damaged.append(directory.path + "/" + name + Self.damaged)
            }
        }
        // What can be read need not be on the disk yet: it is, from here on.
        try directory.sync()
        return (calls.sorted { $0.number < $1.number }, damaged)
    }

    /// Keeps it, or replaces it: afterwards the one or the other is on the disk, whatever happens meanwhile.
    package func save(_ call: KeptCall) throws(LogError) {
        let directory = try directory()
        let name = Self.name(of: call.number)
        guard let bytes = call.bytes else { throw .io(path: path + "/" + name, operation: "encoding", errno: EINVAL) }
        let file = try directory.create(name + Self.unfinished)
        try bytes.span.bytes.withUnsafeBytes { raw throws(LogError) in try file.write(raw, at: 0) }
        try file.sync()
        try directory.rename(name + Self.unfinished, to: name)
        try directory.sync()
    }

    package func remove(_ number: UInt64) throws(LogError) {
        let directory = try directory()
        try directory.remove(Self.name(of: number))
        try directory.sync()
    }

    /// Nobody can say whether it has happened: a person has to look, and the file stays for them.
    package func setAside(_ number: UInt64) throws(LogError) {
        let directory = try directory()
        let name = Self.name(of: number)
        try directory.rename(name, to: name + Self.unknown)
        try directory.sync()
    }

    private func content(of name: String, in directory: PosixDirectory) throws(LogError) -> [UInt8] {
        let file = try directory.open(name)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(try file.size(), 1), alignment: 8)
        defer { buffer.deallocate() }
        let count = try file.read(into: buffer, at: 0)
        return Array(buffer[..<count])
    }

    /// Names sort as their numbers do.
    private static func name(of number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 12 - digits.count)) + digits + suffix
    }
}
