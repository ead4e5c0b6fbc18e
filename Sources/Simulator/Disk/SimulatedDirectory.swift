import DurableLog
import Glibc

/// A directory of a simulated disk, as the log and the record files see it.
final class SimulatedDirectory: DiskDirectory {
    let disk: SimulatedDisk
    let path: String
    private let life: Int

    init(_ disk: SimulatedDisk, _ path: String) {
        (self.disk, self.path, life) = (disk, path, disk.life)
    }

    func names() throws(LogError) -> [String] {
        disk.paths(below: path).map { String($0.dropFirst(path.utf8.count + 1)) }.filter { !$0.contains("/") }
    }

    func open(_ name: String) throws(LogError) -> any DiskFile {
        guard let file = disk.files[full(name)] else { throw .missing(path: full(name)) }
        return OpenFile(disk, file, full(name))
    }

    func create(_ name: String) throws(LogError) -> any DiskFile {
        try change(name)
        let file = SimulatedFile()
        disk.name(file, full(name))
        return OpenFile(disk, file, full(name))
    }

    func rename(_ name: String, to new: String) throws(LogError) {
        try change(name)
        guard let file = disk.files[full(name)] else { throw .missing(path: full(name)) }
        // One change: both names are found together, or neither is.
        disk.rename(file, from: full(name), to: full(new))
    }

    func remove(_ name: String) throws(LogError) {
        try change(name)
        guard disk.exists(full(name)) else { throw .missing(path: full(name)) }
        disk.name(nil, full(name))
    }

    func sync() throws(LogError) {
        try change(path)
        disk.syncNames(of: path)
    }

    private func full(_ name: String) -> String { path + "/" + name }

    private func change(_ name: String) throws(LogError) {
        guard life == disk.life, disk.change() else { throw .io(path: full(name), operation: "changing", errno: EIO) }
    }
}

/// A file that a process has open.
private final class OpenFile: DiskFile {
    var path: String
    private let disk: SimulatedDisk
    private let file: SimulatedFile
    private let life: Int

    init(_ disk: SimulatedDisk, _ file: SimulatedFile, _ path: String) {
        (self.disk, self.file, self.path, life) = (disk, file, path, disk.life)
    }

    func size() throws(LogError) -> Int { file.bytes.count }
    func modified() throws(LogError) -> Int64 { 0 }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(LogError) -> Int {
        guard life == disk.life else { throw dead("reading") }
        return file.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(LogError) {
        try change("writing")
        guard disk.takeRoom(offset + bytes.count - file.bytes.count) else { throw .full(path: path) }
        file.write(bytes, at: offset)
    }

    func reserve(_ size: Int) throws(LogError) {
        try change("reserving")
        guard disk.takeRoom(size - file.bytes.count) else { throw .full(path: path) }
        file.grow(to: size)
    }

    func sync() throws(LogError) {
        try change("syncing")
        guard disk.sync(file, path: path) else { throw .syncFailed(path: path, errno: EIO) }
    }

    private func change(_ operation: String) throws(LogError) {
        guard life == disk.life, disk.change() else { throw dead(operation) }
    }

    private func dead(_ operation: String) -> LogError { .io(path: path, operation: operation, errno: EIO) }
}
