import Foundation
import Glibc
import Seat

/// What a power cut does to a host's disk, once its processes are dead: changes that no sync has confirmed are gone, of
/// files and of folders, all of them or by chance.
struct PowerLoss {
    let disk: HostDisk
    /// Nil: all that was not synced is gone, the worst that a disk may do. Else what is left is drawn from this seed:
    /// whole sectors of some writes, so that others are torn, and the first of a folder's changes.
    var seed: UInt64?
    private var random: Random

    private(set) var files = 0
    /// Written and not synced, whether or not some of them have reached the disk.
    private(set) var bytes = 0
    private(set) var names = 0

    init(of disk: HostDisk, seed: UInt64?) { (self.disk, self.seed, random) = (disk, seed, Random(seed: seed ?? 0)) }

    mutating func strike() throws {
        try undoNames()
        let paths = try pathsByInode()
        for name in try FileManager.default.contentsOfDirectory(atPath: disk.undo) where name != "names" {
            let undo = URL(filePath: disk.undo).appending(path: name)
            if let path = UInt64(name).flatMap({ paths[$0] }) {
                try undoWrites(UnsyncedWrites([UInt8](try Data(contentsOf: undo))), at: path)
            }
            try FileManager.default.removeItem(at: undo)
        }
        // Shared memory of SQLite, which is no memory of a disk.
        for path in paths.values where path.hasSuffix("-shm") { unlink(path) }
        for link in (try? FileManager.default.contentsOfDirectory(atPath: disk.path + "/.unsynced")) ?? [] {
            unlink(disk.path + "/.unsynced/" + link)
        }
        unlink(disk.undo + "/names")
    }

    private mutating func undoWrites(_ unsynced: UnsyncedWrites, at path: String) throws {
        guard !unsynced.writes.isEmpty else { return }
        let file = URL(filePath: path)
        var content = [UInt8](try Data(contentsOf: file))
        let before = content
        if seed != nil {
            var random = random
            unsynced.undo(in: &content) { Int.random(in: $0, using: &random) }
            self.random = random
        } else {
            unsynced.undo(in: &content)
        }
        guard content != before else { return }
        files += 1
        bytes += unsynced.writes.reduce(0) { $0 + $1.count }
        // In place, so that the file keeps its inode, by which it is known.
        let handle = try FileHandle(forWritingTo: file)
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: content)
        try handle.close()
    }

    /// The newest first: each undoes what the folder was before.
    private mutating func undoNames() throws {
        guard let text = try? String(contentsOfFile: disk.undo + "/names", encoding: .utf8) else { return }
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        var open: [String: [Int]] = [:]
        for (index, line) in lines.enumerated() where line.count >= 2 {
            if line[0] == "synced" { open[line[1]] = [] } else { open[line[1], default: []].append(index) }
        }
        var undone: Set<Int> = []
        for changes in open.sorted(by: { $0.key < $1.key }).map(\.value) {
            let kept = seed == nil ? 0 : Int.random(in: 0...changes.count, using: &random)
            undone.formUnion(changes.dropFirst(kept))
        }
        for index in undone.sorted(by: >) {
            let line = lines[index]
            switch (line[0], line.count) {
            case ("made", 3): unlink(line[2])
            case ("moved", 5):
                rename(line[3], line[2])
                if line[4] != "-" { rename(line[4], line[3]) }
            case ("removed", 4): if line[3] != "-" { rename(line[3], line[2]) }
            default: continue
            }
            names += 1
        }
    }

    private func pathsByInode() throws -> [UInt64: String] {
        var paths: [UInt64: String] = [:]
        let all = FileManager.default.enumerator(atPath: disk.path)?.allObjects ?? []
        for case let name as String in all {
            var status = stat()
            guard lstat(disk.path + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            paths[UInt64(status.st_ino)] = disk.path + "/" + name
        }
        return paths
    }
}
