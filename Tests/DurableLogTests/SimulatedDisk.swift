@testable import DurableLog

/// A disk in memory that keeps the least that `DiskDirectory` promises: at a crash each sector that was not synced is
/// kept or lost at random, and so is the tail of the changes of names.
final class SimulatedDirectory: DiskDirectory {
    let path = "disk"
    private(set) var files: [String: SimulatedFile] = [:]
    private var durableNames: [String: SimulatedFile] = [:]
    private var namings: [(inout [String: SimulatedFile]) -> Void] = []
    /// Counts the calls that change something; the one after `crashAfter` of them, and all later ones, fail.
    private(set) var changes = 0
    var crashAfter = Int.max
    private(set) var hasCrashed = false
    /// The next sync of a file fails, and the sectors it was to write are taken for clean.
    var nextSyncFails = false
    var freeBytes = Int.max
    /// So many bytes are still taken, reserved or not, as by a disk that lies about its room.
    var writableBytes = Int.max

    init() {}

    init(files: [String: [UInt8]]) {
        for (name, bytes) in files { self.files[name] = SimulatedFile(path: path + "/" + name, bytes: bytes, in: self) }
        durableNames = self.files
    }

    /// What is on the disk after a power cut.
    func afterCrash(_ random: inout some RandomNumberGenerator) -> SimulatedDirectory {
        var names = durableNames
        for naming in namings.prefix(Int.random(in: 0...namings.count, using: &random)) { naming(&names) }
        return SimulatedDirectory(files: names.mapValues { $0.afterCrash(&random) })
    }

    /// What another process finds after this one was killed: all that was written.
    func afterKill() -> SimulatedDirectory { SimulatedDirectory(files: files.mapValues(\.bytes)) }

    func change(_ name: String) throws(LogError) {
        changes += 1
        hasCrashed = changes > crashAfter
        if hasCrashed { throw .io(path: name, operation: "crashing before", errno: 5) }
    }

    /// How many of so many bytes are written.
    func takeRoom(for count: Int) -> Int {
        let taken = min(count, writableBytes)
        if writableBytes != .max { writableBytes -= taken }
        return taken
    }

    func names() throws(LogError) -> [String] { Array(files.keys) }

    func open(_ name: String) throws(LogError) -> any DiskFile {
        guard let file = files[name] else { throw .missing(path: path(of: name)) }
        return file
    }

    func create(_ name: String) throws(LogError) -> any DiskFile {
        try change(name)
        let file = SimulatedFile(path: path(of: name), bytes: [], in: self)
        apply { $0[name] = file }
        return file
    }

    func rename(_ name: String, to new: String) throws(LogError) {
        try change(name)
        guard files[name] != nil else { throw .missing(path: path(of: name)) }
        apply { names in
            names[new] = names[name]
            names[name] = nil
        }
    }

    func remove(_ name: String) throws(LogError) {
        try change(name)
        guard files[name] != nil else { throw .missing(path: path(of: name)) }
        apply { $0[name] = nil }
    }

    func sync() throws(LogError) {
        try change(path)
        durableNames = files
        namings = []
    }

    private func apply(_ naming: @escaping (inout [String: SimulatedFile]) -> Void) {
        naming(&files)
        namings.append(naming)
    }
}

final class SimulatedFile: DiskFile {
    private static let sector = 512

    var path: String
    private(set) var bytes: [UInt8]
    private var durable: [UInt8]
    private var dirty: Set<Int> = []
    private unowned let directory: SimulatedDirectory

    init(path: String, bytes: [UInt8], in directory: SimulatedDirectory) {
        (self.path, self.bytes, durable, self.directory) = (path, bytes, bytes, directory)
    }

    func afterCrash(_ random: inout some RandomNumberGenerator) -> [UInt8] {
        var result = durable
        for sector in dirty.sorted() where Bool.random(using: &random) {
            let range = sector * Self.sector..<min((sector + 1) * Self.sector, bytes.count)
            if result.count < range.upperBound {
                result += [UInt8](repeating: 0, count: range.upperBound - result.count)
            }
            result.replaceSubrange(range, with: bytes[range])
        }
        return result
    }

    func size() throws(LogError) -> Int { bytes.count }
    func modified() throws(LogError) -> Int64 { 0 }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(LogError) -> Int {
        let end = min(offset + buffer.count, bytes.count)
        guard offset < end else { return 0 }
        bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<end])) }
        return end - offset
    }

    func write(_ new: UnsafeRawBufferPointer, at offset: Int) throws(LogError) {
        try directory.change(path)
        let room = directory.takeRoom(for: new.count)
        try put(UnsafeRawBufferPointer(rebasing: new[..<room]), at: offset)
        if room < new.count { throw .full(path: path) }
    }

    private func put(_ new: UnsafeRawBufferPointer, at offset: Int) throws(LogError) {
        if new.isEmpty { return }
        try grow(to: offset + new.count)
        bytes.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[offset...]).copyMemory(from: new) }
        dirty.formUnion(offset / Self.sector...(offset + new.count - 1) / Self.sector)
    }

    func reserve(_ size: Int) throws(LogError) {
        try directory.change(path)
        try grow(to: size)
    }

    func sync() throws(LogError) {
        try directory.change(path)
        if directory.nextSyncFails {
            directory.nextSyncFails = false
            dirty = []
            throw .syncFailed(path: path, errno: 5)
        }
        durable = bytes
        dirty = []
    }

    private func grow(to size: Int) throws(LogError) {
        guard size > bytes.count else { return }
        guard size - bytes.count <= directory.freeBytes else { throw .full(path: path) }
        directory.freeBytes -= size - bytes.count
        dirty.formUnion(bytes.count / Self.sector...(size - 1) / Self.sector)
        bytes += [UInt8](repeating: 0, count: size - bytes.count)
    }
}
