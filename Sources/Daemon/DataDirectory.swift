import DurableLog
import Glibc
import Replication
import Store
import Wire

/// A node's data directory: `log/` with the segments, `record` with epoch and disk id, `tickets.sqlite`.
package struct DataDirectory {
    package let path: String
    /// Holds the directory's lock for as long as it lives.
    private let directory: PosixDirectory

    package init(path: String) throws(DataError) {
        self.path = path
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
        do throws(LogError) { directory = try PosixDirectory(path: path) } catch { throw .log(error) }
    }

    /// What an opened data directory gives to the node's threads.
    struct Opened {
        var file: NodeFile
        var recordFile: DurableRecord
        var log: EntryLog
        var database: ReplicatedDatabase
        var reader: DatabaseReader
    }

    private var databasePath: String { path + "/tickets.sqlite" }
    private var logPath: String { path + "/log" }

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

    /// Makes the empty directory one of this pair. The record is written last: without it the directory counts as
    /// empty.
    package func format(_ file: NodeFile, segmentSize: Int) throws(DataError) {
        guard try self.file() == nil else { throw .holdsData(path: path) }
        removeLeftovers()
        do throws(LogError) {
            guard mkdir(logPath, 0o700) == 0 || errno == EEXIST else {
                throw LogError.io(path: logPath, operation: "making", errno: errno)
            }
            _ = try EntryLog.create(
                in: try PosixDirectory(path: logPath), pairID: file.pairID,
                options: EntryLog.Options(segmentSize: segmentSize))
        } catch { throw .log(error) }
        do throws(StoreError) { _ = try ReplicatedDatabase.create(at: databasePath) } catch { throw .store(error) }
        do throws(LogError) {
            try directory.sync()
            try DurableRecord(in: directory, name: "record").save(file.bytes)
        } catch { throw .log(error) }
    }

    /// Of a formatting that was interrupted before the record was written.
    private func removeLeftovers() {
        for suffix in ["", "-wal", "-shm"] { unlink(databasePath + suffix) }
        guard let log = try? PosixDirectory(path: logPath), let names = try? log.names() else { return }
        for name in names { try? log.remove(name) }
    }

    /// Opens all of it, and counts this start of the node.
    func open(pair: String, node: NodeName, segmentSize: Int) throws(DataError) -> Opened {
        guard var file = try file() else { throw .empty(path: path) }
        guard file.pair == pair else { throw .otherPair(path: path, found: file.pair, expected: pair) }
        guard file.node == node else { throw .otherNode(path: path, found: file.node, expected: node) }
        file.record.starts += 1
        let recordFile: DurableRecord
        let log: EntryLog
        do throws(LogError) {
            recordFile = try DurableRecord(in: directory, name: "record")
            try recordFile.save(file.bytes)
            log = try EntryLog.open(
                in: try PosixDirectory(path: logPath), expecting: file.pairID,
                options: EntryLog.Options(segmentSize: segmentSize))
        } catch { throw .log(error) }
        let database: ReplicatedDatabase
        do throws(StoreError) { database = try ReplicatedDatabase.open(at: databasePath) } catch { throw .store(error) }
        try check(database.applied, against: log)
        let reader: DatabaseReader
        do throws(StoreError) { reader = try DatabaseReader(at: databasePath) } catch { throw .store(error) }
        return Opened(file: file, recordFile: recordFile, log: log, database: database, reader: reader)
    }

    /// The database never holds what the log doesn't: entries are synced before they are applied.
    private func check(_ applied: Position, against log: EntryLog) throws(DataError) {
        let found: Position?
        do throws(LogError) { found = try log.position(at: applied.lsn) } catch { throw .log(error) }
        guard found == applied else { throw .logBehindDatabase(path: path, applied: applied, log: log.last) }
    }
}

package enum DataError: Error, CustomStringConvertible {
    case cannotCreate(path: String, reason: String)
    case empty(path: String)
    case holdsData(path: String)
    case otherPair(path: String, found: String, expected: String)
    case otherNode(path: String, found: NodeName, expected: NodeName)
    case logBehindDatabase(path: String, applied: Position, log: Position)
    case log(LogError)
    case store(StoreError)

    package var description: String {
        switch self {
        case .cannotCreate(let path, let reason):
            "can't make the data directory \(path): \(reason); check the path and its owner"
        case .empty(let path): "\(path) is empty; run `twinline init` once for the pair"
        case .holdsData(let path): "\(path) holds data already; nothing was changed"
        case .otherPair(let path, let found, let expected):
            "\(path) belongs to pair \(found), not \(expected); check `data` and `pair` in the configuration"
        case .otherNode(let path, let found, let expected):
            "\(path) is node \(found)'s, not \(expected)'s; check `data` and `node` in the configuration"
        case .logBehindDatabase(let path, let applied, let log):
            "\(path): the database holds \(applied), the log ends at \(log): the disk lost what was synced; reseed it"
        case .log(let error): "\(error)"
        case .store(let error): "\(error)"
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .cannotCreate, .empty, .holdsData, .otherPair, .otherNode: .configuration
        case .logBehindDatabase: .damaged
        case .log(.damaged), .store(.damaged): .damaged
        case .log(.syncFailed): .syncFailed
        case .log(.locked): .temporary
        case .log, .store: .unexpected
        }
    }
}
