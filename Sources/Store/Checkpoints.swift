import CSQLiteSession
import Glibc
import Replication

/// When SQLite's write-ahead log is copied into the database, and what is then on the disk for certain.
///
/// The writer does it itself between two batches, every 1,000 pages: measured, that has the best tail (12 ms at worst),
/// and the file can start over at once, since no other connection checkpoints. A COMMIT syncs nothing; the node's own
/// log repairs what a power cut takes. So of the committed positions only those count as durable that a checkpoint has
/// put into the database, which SQLite then syncs (sqlite3_wal_checkpoint_v2, "PRAGMA synchronous").
final class Checkpoints {
    private static let dueAfter: Int32 = 1000
    /// Bytes that the write-ahead log's file keeps when it starts over. A long reader, such as a verification, lets it
    /// grow for as long as it reads, and without a limit it would stay so large for ever. Four times what it has in
    /// ordinary work, so that then it is never cut and grown again.
    static let sizeLimit = 16 << 20

    private let connection: Connection
    /// Pages in the write-ahead log after the last COMMIT; written by SQLite's hook.
    private let pages = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

    init(_ connection: Connection) {
        self.connection = connection
        pages.initialize(to: 0)
        sqlite3_wal_hook(
            connection.raw,
            { context, _, _, count in
                context?.assumingMemoryBound(to: Int32.self).pointee = count
                return SQLITE_OK
            }, pages)
    }

    deinit {
        sqlite3_wal_hook(connection.raw, nil, nil)
        pages.deallocate()
    }

    var isDue: Bool { pages.pointee >= Self.dueAfter }

    /// Inside `connection.access`, outside a transaction.
    /// - Returns: whether all that is committed is in the database now, and synced. A reader may keep some of it back
    ///   for a moment.
    func run() throws(StoreError) -> Bool {
        var (found, copied): (Int32, Int32) = (0, 0)
        let code = sqlite3_wal_checkpoint_v2(connection.raw, nil, SQLITE_CHECKPOINT_PASSIVE, &found, &copied)
        guard code == SQLITE_OK || code == SQLITE_BUSY else { throw connection.error(code) }
        guard code == SQLITE_OK, found == copied else { return false }
        pages.pointee = 0
        return true
    }
}

extension ReplicatedDatabase {
    /// Gives the write-ahead log's file the size that it keeps, so that in ordinary work no COMMIT needs room on the
    /// disk. What is behind SQLite's own end of it are zeros, which are no frames; no lock hangs on this file.
    /// - Throws: `diskFull`; it may be tried again.
    package func reserveWriteAheadLog() throws(StoreError) {
        let name = connection.path + "-wal"
        let file = Glibc.open(name, O_RDWR | O_CLOEXEC)
        guard file >= 0 else {
            throw .inputOutput(path: name, code: errno, message: String(cString: strerror(errno)))
        }
        defer { close(file) }
        var result: Int32
        repeat { result = posix_fallocate(file, 0, off_t(Checkpoints.sizeLimit)) } while result == EINTR
        if result == ENOSPC || result == EDQUOT { throw .diskFull(path: name) }
        guard result == 0 else {
            throw .inputOutput(path: name, code: result, message: String(cString: strerror(result)))
        }
    }

    /// Copies what was committed into the database and syncs it, if that is due or `now`. Milliseconds.
    /// - Returns: the position that is on the disk now, whatever happens to the machine; nil if that can't be said.
    package func checkpoint(now: Bool = false) throws(StoreError) -> Position? {
        precondition(openBatch == nil, "a batch is open: commit it or roll it back first")
        guard now || checkpoints.isDue else { return nil }
        let isWhole = try connection.access { _ throws(StoreError) in try checkpoints.run() }
        return isWhole ? applied : nil
    }
}
