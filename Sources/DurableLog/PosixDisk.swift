import Glibc
import Planted

/// A directory of the file system, locked for this process as long as the object lives.
package final class PosixDirectory: DiskDirectory, Sendable {
    package let path: String
    private let descriptor: Int32

    /// - Throws: `LogError.locked` if another process, or another object of this one, holds the directory.
    package init(path: String) throws(LogError) {
        self.path = path
        descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .of("opening", path)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || planted("openALockedDirectory") else {
            let error = errno
            close(descriptor)
            throw error == EWOULDBLOCK ? .locked(path: path) : .io(path: path, operation: "locking", errno: error)
        }
    }

    deinit { close(descriptor) }

    package func names() throws(LogError) -> [String] { try listing(of: path) }

    package func open(_ name: String) throws(LogError) -> any DiskFile { try file(name, flags: 0) }

    package func create(_ name: String) throws(LogError) -> any DiskFile {
        try file(name, flags: O_CREAT | O_TRUNC)
    }

    package func rename(_ name: String, to new: String) throws(LogError) {
        guard renameat(descriptor, name, descriptor, new) == 0 else { throw failure("renaming", name) }
    }

    package func remove(_ name: String) throws(LogError) {
        guard unlinkat(descriptor, name, 0) == 0 else { throw failure("removing", name) }
    }

    package func sync() throws(LogError) {
        guard fsync(descriptor) == 0 else { throw .syncFailed(path: path, errno: errno) }
    }

    private func file(_ name: String, flags: Int32) throws(LogError) -> any DiskFile {
        let file = openat(descriptor, name, O_RDWR | O_CLOEXEC | flags, 0o600)
        guard file >= 0 else { throw failure("opening", name) }
        return PosixFile(path: path(of: name), descriptor: file)
    }

    private func failure(_ operation: String, _ name: String) -> LogError { .of(operation, path(of: name)) }
}

/// A directory that is only looked at: without its lock, while another process writes there. What it opens can't be
/// written to; the system sees to that.
package final class ReadOnlyDirectory: ReadableDirectory {
    package let path: String

    package init(path: String) { self.path = path }

    package func names() throws(LogError) -> [String] { try listing(of: path) }

    package func open(_ name: String) throws(LogError) -> any DiskFile {
        let path = path(of: name)
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .of("opening", path) }
        return PosixFile(path: path, descriptor: file)
    }
}

private func listing(of path: String) throws(LogError) -> [String] {
    guard let stream = opendir(path) else { throw .of("listing", path) }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { names.append(name) }
    }
    guard errno == 0 else { throw .of("listing", path) }
    return names
}

extension LogError {
    /// What `errno` says of a call that has just failed.
    fileprivate static func of(_ operation: String, _ path: String) -> LogError {
        switch errno {
        case ENOENT: .missing(path: path)
        case ENOTDIR: .notADirectory(path: path)
        case ENOSPC, EDQUOT: .full(path: path)
        case EACCES, EPERM, EROFS: .notAllowed(path: path, errno: errno)
        default: .io(path: path, operation: operation, errno: errno)
        }
    }
}

final class PosixFile: DiskFile {
    var path: String
    private let descriptor: Int32

    init(path: String, descriptor: Int32) { (self.path, self.descriptor) = (path, descriptor) }

    deinit { close(descriptor) }

    func size() throws(LogError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("examining", errno) }
        return Int(status.st_size)
    }

    func modified() throws(LogError) -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("examining", errno) }
        return Int64(status.st_mtim.tv_sec)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(LogError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("reading", errno) }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(LogError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("writing", errno) }
            done += count
        }
    }

    func reserve(_ size: Int) throws(LogError) {
        var result: Int32
        repeat { result = posix_fallocate(descriptor, 0, off_t(size)) } while result == EINTR
        guard result == 0 else { throw failure("reserving room for", result) }
    }

    func sync() throws(LogError) {
        guard fdatasync(descriptor) == 0 else { throw .syncFailed(path: path, errno: errno) }
    }

    private func failure(_ operation: String, _ error: Int32) -> LogError {
        error == ENOSPC || error == EDQUOT
            ? .full(path: path) : .io(path: path, operation: operation, errno: error)
    }
}
