import DurableLog

/// One machine's disk in memory: files by path, with the promises of `DiskDirectory` and not more. What was not synced
/// is lost at a power cut, wholly or in part; names too. The log's files and SQLite's lie on it alike.
///
/// Owned by one thread. A process that has ended finds its open files dead: it can change nothing any more.
final class SimulatedDisk {
    /// Begins every path, so that SQLite's part knows which disk is meant.
    let root: String
    private(set) var files: [String: SimulatedFile] = [:]
    private var durableNames: [String: SimulatedFile] = [:]
    /// Changes of names that are not yet synced, oldest first.
    private var namings: [Naming] = []
    /// Counts processes: what an earlier one has opened is dead.
    private(set) var life = 0
    var random: SeededRandom

    private struct Naming {
        var directory: String
        var path: String
        /// Nil: removed.
        var file: SimulatedFile?
        /// A renamed file's name before.
        var from: String?
    }

    // MARK: faults, set from outside

    /// Counts the calls that change something. The one after `crashAfter` of them, and all later ones, fail: the
    /// process has ended there.
    private(set) var changes = 0
    var crashAfter = Int.max
    var hasCrashed: Bool { changes > crashAfter }
    /// The next sync of a file fails.
    var nextSyncFails = false
    /// Which was it?
    private(set) var failedSync: String?
    var freeBytes = Int.max

    init(seed: UInt64) {
        random = SeededRandom(seed)
        root = SimulatedDisks.newRoot()
        SimulatedDisks.add(self)
    }

    deinit { SimulatedDisks.remove(root) }

    func directory(_ path: String) -> SimulatedDirectory { SimulatedDirectory(self, root + "/" + path) }

    // MARK: the machine

    /// The process ends; what it has written stays, synced or not.
    func kill() {
        life += 1
        (changes, crashAfter, nextSyncFails) = (0, .max, false)
    }

    /// The machine loses its power.
    func cutPower(_ loss: PowerLoss) {
        kill()
        let keptNames: Int =
            switch loss {
            case .everything: 0
            case .nothing: namings.count
            case .some, .tail: Int(random.below(UInt64(namings.count) + 1))
            }
        for naming in namings.prefix(keptNames) { settle(naming) }
        namings = []
        files = [:]
        for path in durableNames.keys.sorted() {
            guard let file = durableNames[path] else { continue }
            files[path] = SimulatedFile(file.afterPowerCut(&random, loss))
        }
        durableNames = files
    }

    /// All that is on the disk for certain, to be put back later.
    func copy() -> [String: [UInt8]] { durableNames.mapValues(\.durable) }

    /// The process has ended before: its disk is another one now, or an older copy of this one.
    func replace(with copy: [String: [UInt8]]) {
        life += 1
        namings = []
        files = copy.mapValues { SimulatedFile($0) }
        durableNames = files
    }

    // MARK: names

    func exists(_ path: String) -> Bool { files[path] != nil }

    func paths(below directory: String) -> [String] {
        files.keys.filter { $0.hasPrefix(directory + "/") }.sorted()
    }

    func name(_ file: SimulatedFile?, _ path: String) {
        files[path] = file
        namings.append(Naming(directory: Self.parent(path), path: path, file: file))
    }

    func rename(_ file: SimulatedFile, from: String, to path: String) {
        files[from] = nil
        files[path] = file
        namings.append(Naming(directory: Self.parent(path), path: path, file: file, from: from))
    }

    private func settle(_ naming: Naming) {
        if let from = naming.from { durableNames[from] = nil }
        durableNames[naming.path] = naming.file
    }

    func syncNames(of directory: String) {
        var rest: [Naming] = []
        for naming in namings {
            if naming.directory == directory { settle(naming) } else { rest.append(naming) }
        }
        namings = rest
    }

    static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    // MARK: what every change passes

    /// - Returns: false: the process has ended before it.
    func change() -> Bool {
        changes += 1
        return changes <= crashAfter
    }

    /// - Returns: false: the disk is full.
    func takeRoom(_ bytes: Int) -> Bool {
        guard bytes > 0 else { return true }
        guard freeBytes >= bytes else { return false }
        if freeBytes != .max { freeBytes -= bytes }
        return true
    }

    /// - Returns: false: it has failed.
    func sync(_ file: SimulatedFile, path: String) -> Bool {
        if nextSyncFails {
            (nextSyncFails, failedSync) = (false, path)
            file.failSync(&random)
            return false
        }
        file.sync()
        return true
    }
}
