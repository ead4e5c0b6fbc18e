import DurableLog
import Engine
import Foundation
import Glibc
import Replication
import Store
import Wire

/// A node's data directory.
///
///     record                  epoch, disk id, and which copy counts (NodeFile)
///     copy-N/log/             the log's segments
///     copy-N/tickets.sqlite   the database
///     outgoing-*.sqlite       a snapshot that the other node fetches (SnapshotKeeper)
///
/// There is one copy, or, while the node is being reseeded, perhaps a second one that is being received. Only a saving
/// of the record makes that one count; it is whole and synced by then. Whatever else lies here is left over from
/// something that was interrupted, and is removed at the next start.
package struct DataDirectory: Sendable {
    package let path: String
    /// Holds the directory's lock for as long as it lives.
    let directory: PosixDirectory

    package init(path: String) throws(DataError) {
        self.path = path
        directory = try Self.locked(path)
        guard !holds("witness") || holds("record") else { throw .otherUse(path: path, holds: "a witness's record") }
    }

    /// The directory, made if need be.
    static func locked(_ path: String) throws(DataError) -> PosixDirectory {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
        do throws(LogError) { return try PosixDirectory(path: path) } catch { throw .log(error) }
    }

    private func holds(_ name: String) -> Bool { access(path + "/" + name, F_OK) == 0 }

    /// What an opened data directory gives to the node's threads.
    struct Opened {
        var file: NodeFile
        var recordFile: DurableRecord
        var log: EntryLog
        var database: ReplicatedDatabase
        var reader: DatabaseReader
        var queries: QueryReader
        var lists: ListFeed

        /// The end of the log for as long as it holds no entry.
        var origin: LogTip
    }

    /// Of the copy with this number.
    func copyPath(_ number: UInt64) -> String { path + "/copy-\(number)" }
    static let databaseName = "tickets.sqlite"
    func databasePath(_ number: UInt64) -> String { copyPath(number) + "/" + Self.databaseName }
    func logPath(_ number: UInt64) -> String { copyPath(number) + "/log" }

    /// Whose disk it is; nil while it is empty.
    package func file() throws(DataError) -> NodeFile? {
        do throws(LogError) {
            guard let bytes = try DurableRecord(in: directory, name: "record").load() else { return nil }
            do throws(MalformedMessage) { return try NodeFile(bytes: bytes) } catch {
                throw LogError.damaged(
                    path: path + "/record", offset: 0, reason: "the field \(error.field) is impossible")
            }
        } catch { throw .log(error) }
    }

    /// Of a directory without a record. A formatting that was interrupted leaves an empty log at most; a log with
    /// entries, or one that can't be read, is somebody's data, and what named its owner is lost.
    func requireNoEntries() throws(DataError) {
        for name in (try? directory.names()) ?? [] where name.hasPrefix("copy-") {
            do throws(LogError) {
                let view = try LogView(of: ReadOnlyDirectory(path: path + "/" + name + "/log"))
                let entry = try view.read()
                if entry == nil, view.next == LSN(1) { continue }
            } catch {
                if case .missing = error { continue }
            }
            throw .recordMissing(path: path)
        }
    }

    /// Makes the empty directory one of this pair. The record is written last: without it the directory counts as
    /// empty.
    package func format(_ file: NodeFile, segmentSize: Int) throws(DataError) {
        guard try self.file() == nil else { throw .holdsData(path: path) }
        try requireNoEntries()
        removeLeftovers(keeping: [])
        do throws(LogError) {
            for folder in [copyPath(file.copy), logPath(file.copy)] { try Self.make(folder) }
            _ = try EntryLog.create(
                in: try PosixDirectory(path: logPath(file.copy)), pairID: file.pairID,
                options: EntryLog.Options(segmentSize: segmentSize))
        } catch { throw .log(error) }
        do throws(StoreError) { _ = try ReplicatedDatabase.create(at: databasePath(file.copy)) } catch {
            throw .store(error)
        }
        do throws(LogError) {
            try PosixDirectory(path: copyPath(file.copy)).sync()
            try directory.sync()
        } catch { throw .log(error) }
        try save(file)
    }

    func save(_ file: NodeFile) throws(DataError) {
        do throws(LogError) { try DurableRecord(in: directory, name: "record").save(file.bytes) } catch {
            throw .log(error)
        }
    }

    static func make(_ folder: String) throws(LogError) {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw .io(path: folder, operation: "making", errno: errno)
        }
    }

    /// What was begun and given up, or has been replaced.
    func removeLeftovers(keeping copies: [UInt64]) {
        let kept = Set(copies.map { "copy-\($0)" })
        for name in (try? directory.names()) ?? []
        where name.hasPrefix("copy-") && !kept.contains(name) || name.hasPrefix("outgoing-") {
            try? FileManager.default.removeItem(atPath: path + "/" + name)
        }
    }

    /// Opens all of it, and counts this start of the node.
    func open(pair: String, node: NodeName, segmentSize: Int) throws(DataError) -> Opened {
        guard var file = try file() else { throw .empty(path: path) }
        try check(file, pair: pair, node: node)
        guard !file.isReseeding else { throw .reseeding(path: path) }
        removeLeftovers(keeping: [file.copy])
        file.record.starts += 1
        let recordFile: DurableRecord
        let log: EntryLog
        do throws(LogError) {
            recordFile = try DurableRecord(in: directory, name: "record")
            try recordFile.save(file.bytes)
            log = try EntryLog.open(
                in: try PosixDirectory(path: logPath(file.copy)), expecting: file.pairID,
                options: EntryLog.Options(segmentSize: segmentSize))
        } catch { throw .log(error) }
        let database: ReplicatedDatabase
        let reader: DatabaseReader
        let queries: QueryReader
        let lists: ListFeed
        do throws(StoreError) {
            database = try ReplicatedDatabase.open(at: databasePath(file.copy))
            reader = try DatabaseReader(at: databasePath(file.copy))
            queries = try QueryReader(at: databasePath(file.copy), clock: monotonicNow)
            lists = try ListFeed(
                log: ReadOnlyDirectory(path: logPath(file.copy)), database: databasePath(file.copy))
        } catch { throw .store(error) }
        try check(database.applied, against: log)
        let origin: LogTip
        do throws(LogError) { origin = try LogTip(of: database, beneath: log) } catch { throw .log(error) }
        return Opened(
            file: file, recordFile: recordFile, log: log, database: database, reader: reader, queries: queries,
            lists: lists, origin: origin)
    }

    /// The database never holds what the log doesn't: entries are synced before they are applied.
    private func check(_ applied: Position, against log: EntryLog) throws(DataError) {
        let holds: Bool
        do throws(LogError) { holds = try log.holds(applied) } catch { throw .log(error) }
        guard holds else { throw .logBehindDatabase(path: path, applied: applied, log: log.last) }
    }
}
