import DurableLog
import Foundation
import Planted
import Replication
import Store
import Wire

/// What this node has answered and the other node's log lacks, set aside in a file that a person can read, before a
/// copy of the other's database takes its place (rule R10). That happens after a forced promotion only, or to a disk
/// that has forgotten: somebody has to look through it, and take the lost calls up again.
struct Salvage {
    let directory: DataDirectory
    let file: NodeFile
    /// The newest entry that both logs hold; where that can't be known any more, one that they certainly do.
    let common: Position
    var isExact = true
    /// The newest one that this node's database holds, and so that was answered here.
    let applied: LSN

    /// Reads beside the log's owner, which holds its lock still, and syncs what it writes.
    /// - Returns: the file's path, and how many entries it holds.
    func write(at milliseconds: Int64) throws -> (path: String, entries: Int) {
        let time = ChangeWords.time(milliseconds)
        let name = "salvage-" + time.filter { $0.isNumber || $0 == "T" } + ".txt"
        let path = directory.path + "/" + name
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let target = FileHandle(forWritingAtPath: path)
        else { throw DataError.cannotCreate(path: path, reason: String(cString: strerror(errno))) }
        defer { try? target.close() }
        try target.write(contentsOf: Data(head(time).utf8))
        let entries = try body { try target.write(contentsOf: Data(($0 + "\n\n").utf8)) }
        try target.write(contentsOf: Data("\(entries) entries.\n".utf8))
        try target.synchronize()
        try directory.directory.sync()
        return (path, entries)
    }

    private func head(_ time: String) -> String {
        let (node, other) = (file.node, file.node.other)
        let parted =
            isExact
            ? """
            The log of node \(other), which leads now, does not hold the entries below; after \(common) the two
            parted. Those up to entry \(applied) were answered by node \(node): somebody was told that they are done,
            and they are not. Look through them, and take up again what is missing.
            """
            : """
            Node \(node) has answered alone, and came back so late that the log of node \(other), which leads now, no
            longer reaches back to where the two parted: somewhere after \(common). SOME OF THE ENTRIES BELOW MAY BE IN
            NODE \(other)'S DATA TOO, the first of them most likely. Those up to entry \(applied) were answered by node
            \(node): somebody was told that they are done. Look through them, from the end on, and take up again what is
            missing.
            """
        let end = "Node \(node) takes over node \(other)'s data now."
        return ["Pair \(file.pair), node \(node), \(time).", parted, end, "", ""].joined(separator: "\n")
    }

    private func body(_ write: (String) throws -> Void) throws -> Int {
        let view = try LogView(of: ReadOnlyDirectory(path: directory.logPath(file.copy)))
        let schema = try LoggedSchema()
        let text = EntryText(ChangeWords(), brief: false)
        var count = 0
        // Older entries only for the schema changes among them.
        try view.seek(to: try view.starts()[0])
        while let frame = try view.read() {
            guard frame.position.lsn > common.lsn || frame.kind == .schema else { continue }
            let all = try? schema.changes(in: frame.entry)
            guard frame.position.lsn > (planted("salvageLosesTheAnswered") ? applied : common.lsn) else { continue }
            let found = FoundEntry(
                entry: frame.entry, size: frame.bytes.count, allChanges: all, changes: all ?? [])
            try write((frame.position.lsn <= applied ? "ANSWERED  " : "not answered  ") + text.page(found))
            count += 1
        }
        return count
    }
}
