import CSQLiteSession
import GRDB
import Glibc
import Tickets

/// One connection to the database, on the system's SQLite. GRDB opens, configures and closes it, and looks at its
/// tables; the statements of the hot paths are prepared once on its handle and run by `Statement`.
///
/// All use of one connection is inside `access`, on one thread at a time.
final class Connection {
    let path: String
    let raw: OpaquePointer
    let authorizer: Authorizer
    private let queue: DatabaseQueue

    private init(path: String, queue: DatabaseQueue, raw: OpaquePointer) {
        self.path = path
        self.queue = queue
        self.raw = raw
        authorizer = Authorizer(raw)
    }

    static func open(_ path: String, readOnly: Bool) throws(StoreError) -> Connection {
        try checkLibrary()
        _ = libraryIsSetUp
        if let code = CheckedFiles.failure {
            throw .cannotOpen(path: path, reason: String(cString: sqlite3_errstr(code)))
        }
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.foreignKeysEnabled = false
        // A batch's transaction stays open between two accesses, until its entry is committed.
        configuration.allowsUnsafeTransactions = true
        configuration.prepareDatabase { database in
            if !readOnly { reserveRoomForChecksums(database) }
            try database.execute(sql: readOnly ? readerPragmas : writerPragmas)
            removeLocalWays(database)
        }
        do {
            let queue = try DatabaseQueue(path: uri(of: path), configuration: configuration)
            return try queue.writeWithoutTransaction { database in
                guard let raw = database.sqliteConnection else {
                    throw StoreError.cannotOpen(path: path, reason: "the connection is closed")
                }
                return Connection(path: path, queue: queue, raw: raw)
            }
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError {
            if let damage = CheckedFiles.error(error.extendedResultCode.rawValue, path: path) { throw damage }
            let reason = "\(error.message ?? "no reason given") (\(error.extendedResultCode.rawValue))"
            switch error.resultCode {
            case .SQLITE_FULL: throw .diskFull(path: path)
            case .SQLITE_IOERR where error.extendedResultCode.rawValue == noRoomForIndex: throw .diskFull(path: path)
            case .SQLITE_NOTADB, .SQLITE_CORRUPT: throw .damaged(path: path, message: reason)
            default: throw .cannotOpen(path: path, reason: reason)
            }
        } catch {
            throw .cannotOpen(path: path, reason: "\(error)")
        }
    }

    /// Pages of 4 KiB: measured, they are the fastest. The log repairs what the WAL loses in a power cut, so a COMMIT
    /// needs no sync; `Checkpoints` says when there is one. What an index build sorts goes to files: in memory it would
    /// be all of the index.
    private static let writerPragmas = """
        PRAGMA page_size = 4096;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = NORMAL;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA journal_size_limit = \(Checkpoints.sizeLimit);
        PRAGMA cache_size = -65536;
        PRAGMA temp_store = FILE;
        """

    private static let readerPragmas = """
        PRAGMA query_only = ON;
        PRAGMA cache_size = -16384;
        """

    /// Once, before the first connection. A library that is in use already keeps them: then it is only slower.
    static let libraryIsSetUp =
        twinline_disable_memory_statistics() == SQLITE_OK && twinline_allow_uris() == SQLITE_OK

    /// The file by the way that checks its pages (sqlite.org/uri.html).
    private static func uri(of path: String) -> String {
        var uri = "file:"
        for byte in path.utf8 {
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || [0x2d, 0x2e, 0x2f, 0x5f].contains(byte)
            let digits = String(byte, radix: 16)
            uri += isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + digits
        }
        return uri + "?vfs=" + CheckedFiles.name(for: path)
    }

    /// In a new file. One that is there keeps what it has.
    private static func reserveRoomForChecksums(_ database: Database) {
        var count = PageChecksums.reserved
        sqlite3_file_control(database.sqliteConnection, "main", SQLITE_FCNTL_RESERVE_BYTES, &count)
    }

    /// What GRDB adds goes by the machine's locale, and must not get into an index or a row. Values are limited, so
    /// that none takes more memory than a message.
    private static func removeLocalWays(_ database: Database) {
        for function in [
            DatabaseFunction.capitalize, .lowercase, .uppercase, .localizedCapitalize, .localizedLowercase,
            .localizedUppercase,
        ] { database.remove(function: function) }
        for collation in [
            DatabaseCollation.unicodeCompare, .caseInsensitiveCompare, .localizedCaseInsensitiveCompare,
            .localizedCompare, .localizedStandardCompare,
        ] { database.remove(collation: collation) }
        let raw = database.sqliteConnection
        twinline_defend(raw)
        sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, Int32(SQLLimits.row))
        sqlite3_limit(raw, SQLITE_LIMIT_SQL_LENGTH, Int32(SQLLimits.sql) + 1)
        sqlite3_limit(raw, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000)
        sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0)
    }

    private static func checkLibrary() throws(StoreError) {
        for option in ["ENABLE_SESSION", "ENABLE_PREUPDATE_HOOK"] where sqlite3_compileoption_used(option) == 0 {
            throw .libraryLacks(option: option)
        }
    }

    /// The only way in. The body may leave a transaction open.
    func access<Value, Failure>(_ body: (Database) throws(Failure) -> Value) throws(Failure) -> Value {
        let result = queue.writeWithoutTransaction { database in
            Result<Value, Failure> { () throws(Failure) in try body(database) }
        }
        return try result.get()
    }

    /// Runs statements once: for what isn't worth keeping prepared.
    func execute(_ sql: String) throws(StoreError) {
        let code = sqlite3_exec(raw, sql, nil, nil, nil)
        if code != SQLITE_OK { throw error(code) }
    }

    var isInTransaction: Bool { sqlite3_get_autocommit(raw) == 0 }

    /// How many rows the last statement changed.
    var changes: Int { Int(sqlite3_changes64(raw)) }

    /// SQLITE_IOERR_SHMSIZE, whose definition Swift does not see: the write-ahead log's index can't grow.
    private static let noRoomForIndex = SQLITE_IOERR | (19 << 8)

    private func isFull(_ errno: Int32) -> Bool { errno == ENOSPC || errno == EDQUOT }

    /// What a result code of this connection's last call means.
    func error(_ code: Int32) -> StoreError {
        let message = String(cString: sqlite3_errmsg(raw))
        if let damage = CheckedFiles.error(code, path: path) { return damage }
        return switch code & 0xff {
        case SQLITE_FULL: .diskFull(path: path)
        // SQLite itself knows ENOSPC only, and that not everywhere.
        case SQLITE_IOERR where code == Self.noRoomForIndex || isFull(sqlite3_system_errno(raw)): .diskFull(path: path)
        case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PROTOCOL, SQLITE_NOMEM:
            .inputOutput(path: path, code: code, message: message)
        case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged(path: path, message: message)
        default: .sql(code: code, message: message)
        }
    }
}
