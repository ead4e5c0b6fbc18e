import CSQLiteSession
import Replication

/// A copy of the database as it is at one position, made in a file beside it, page by page, while its writer goes on.
///
/// Owned by one thread. It reads in one transaction on a connection of its own, so the copy is of the moment of `init`
/// however long it takes. Until `finish`, SQLite's write-ahead log can't start over, and grows with all that is
/// written meanwhile: don't dawdle.
package final class SnapshotFile {
    /// What the database says of itself at the moment of the snapshot.
    package struct Contents: Equatable, Sendable {
        package var position: Position
        package var digest: Digest
        package var schemaVersion: UInt32

        package init(position: Position, digest: Digest, schemaVersion: UInt32) {
            (self.position, self.digest, self.schemaVersion) = (position, digest, schemaVersion)
        }
    }

    package let contents: Contents
    /// Of the whole copy, in bytes.
    package let size: Int
    private let pageSize: Int
    private let source: Connection
    private let target: OpaquePointer
    private let targetPath: String
    private var backup: OpaquePointer?

    /// - Parameter target: a file that is not there yet. It is no one's to keep before `finish`, and not on the disk
    ///   for certain after it either: it has to be synced.
    package init(of path: String, into target: String) throws(StoreError) {
        source = try Connection.open(path, readOnly: true)
        targetPath = target
        let source = source
        (contents, pageSize, size) = try source.access { _ throws(StoreError) in
            try source.execute("BEGIN")
            let standing = try ReplicatedDatabase.Standing(source)
            let pageSize = try Statement(source, "PRAGMA page_size").first { Int($0.integer(0)) } ?? 0
            let pages = try Statement(source, "PRAGMA page_count").first { Int($0.integer(0)) } ?? 0
            let contents = Contents(
                position: standing.position, digest: standing.digest, schemaVersion: standing.schemaVersion)
            return (contents, pageSize, pages * pageSize)
        }
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        // By the way that stamps each page with its checksum; the source's connection has registered it.
        let code = sqlite3_open_v2(target, &opened, flags, CheckedFiles.name(for: target))
        guard code == SQLITE_OK, let opened else {
            sqlite3_close_v2(opened)
            throw .inputOutput(path: target, code: code, message: String(cString: sqlite3_errstr(code)))
        }
        self.target = opened
        var reserved = PageChecksums.reserved
        sqlite3_file_control(opened, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved)
        // Nobody reads it before it is whole, so it needs no journal; and few pages of it are kept in memory.
        let pragmas = """
            PRAGMA page_size = \(pageSize);
            PRAGMA journal_mode = OFF;
            PRAGMA synchronous = OFF;
            PRAGMA cache_size = -2048;
            """
        sqlite3_exec(opened, pragmas, nil, nil, nil)
        backup = sqlite3_backup_init(opened, "main", source.raw, "main")
        guard backup != nil else { throw error(sqlite3_errcode(opened)) }
    }

    deinit {
        sqlite3_backup_finish(backup)
        sqlite3_close_v2(target)
    }

    /// How many bytes are copied.
    package var done: Int {
        guard let backup else { return size }
        return max(0, Int(sqlite3_backup_pagecount(backup) - sqlite3_backup_remaining(backup))) * pageSize
    }

    /// Copies so many bytes more, about.
    /// - Returns: whether there is more to do.
    package func copy(bytes: Int) throws(StoreError) -> Bool {
        let code = source.access { _ in sqlite3_backup_step(backup, Int32(max(1, bytes / pageSize))) }
        switch code {
        case SQLITE_OK: return true
        case SQLITE_DONE: return false
        case SQLITE_BUSY, SQLITE_LOCKED: return true
        default: throw error(code)
        }
    }

    /// Ends the transaction. The file is whole then.
    package func finish() throws(StoreError) {
        let code = source.access { _ in sqlite3_backup_finish(backup) }
        backup = nil
        guard code == SQLITE_OK else { throw error(code) }
        try source.access { _ throws(StoreError) in try source.execute("COMMIT") }
    }

    private func error(_ code: Int32) -> StoreError {
        if let damage = CheckedFiles.error(code, path: source.path) { return damage }
        return switch code & 0xff {
        case SQLITE_FULL: .diskFull(path: targetPath)
        case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged(path: source.path, message: "a page can't be copied")
        default: .inputOutput(path: targetPath, code: code, message: String(cString: sqlite3_errstr(code)))
        }
    }
}

extension ReplicatedDatabase {
    /// Makes sure that a copy which came from elsewhere is a sound database and holds what it should: SQLite's own
    /// check, what it says of itself, and the digest of its tables. Reads all of it twice.
    package static func verify(copyAt path: String, holds expected: SnapshotFile.Contents) throws(StoreError) {
        let database = try open(at: path)
        try database.connection.access { _ throws(StoreError) in
            let check = try Statement(database.connection, "PRAGMA quick_check(1)").first { $0.text(0) }
            guard check == "ok" else { throw .damaged(path: path, message: check ?? "it can't be checked") }
        }
        let found = SnapshotFile.Contents(
            position: database.applied, digest: database.digest, schemaVersion: database.schemaVersion)
        guard found.position == expected.position, found.schemaVersion == expected.schemaVersion else {
            throw .damaged(path: path, message: "it is a copy of \(found.position), not of \(expected.position)")
        }
        let digest = try database.recomputeDigest()
        guard digest == expected.digest, found.digest == expected.digest else {
            throw .digestDiffers(position: expected.position, expected: expected.digest, found: digest)
        }
    }
}
