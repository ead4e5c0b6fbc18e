import Replication

/// A node's copy of the database: executes batches as primary, applies entries as standby and at recovery.
///
/// Owned by one thread: the only writer of its file, and the one that checkpoints it. Readers (`DatabaseReader`) see
/// only what is committed.
///
/// As primary: `execute` leaves the batch's transaction open until its entry is committed in the log; then `commit`,
/// or, when the role is lost, `rollBack`, after which the same content may come back as an entry.
package final class ReplicatedDatabase {
    /// What the local table remembers, in the same transaction as the changes.
    struct Standing: Equatable {
        var position: Position
        var digest: Digest
        var schemaVersion: UInt32
    }

    /// A transaction that waits for its entry to be committed.
    struct OpenBatch {
        /// What will stand once it is committed, but for the position.
        var after: Standing
        /// To go back to, should it have changed the schema.
        let tablesBefore: [ReplicatedTable]
        /// What its entry holds.
        let kind: EntryKind
        let payload: [UInt8]
    }

    let connection: Connection
    private(set) var standing: Standing
    var openBatch: OpenBatch?
    /// The entry whose COMMIT met a full disk, until something is applied again.
    package internal(set) var uncommitted: Entry?
    var tables: [ReplicatedTable]
    /// The statements for the role that was last played. The other role's are dropped: they need other settings.
    var role = Role.none

    enum Role {
        case none
        case executing(Executor)
        case applying(Applier)
    }

    /// A clock that only tells how long SQL takes; without one it may take any time.
    package var clock: () -> Instant = { Instant(nanoseconds: 0) }

    let transaction: Transaction
    let checkpoints: Checkpoints
    private let updateStanding: Statement

    /// The newest entry that this database holds.
    package var applied: Position { standing.position }
    /// At `applied`.
    package var digest: Digest { standing.digest }
    package var schemaVersion: UInt32 { standing.schemaVersion }
    package var path: String { connection.path }
    package var hasOpenBatch: Bool { openBatch != nil }

    private init(_ connection: Connection, _ standing: Standing, _ tables: [ReplicatedTable]) throws(StoreError) {
        self.connection = connection
        self.standing = standing
        self.tables = tables
        transaction = try Transaction(connection)
        checkpoints = Checkpoints(connection)
        updateStanding = try Statement(
            connection,
            """
            UPDATE _twinline_applied
            SET epoch = ?1, lsn = ?2, digest_high = ?3, digest_low = ?4, schema_version = ?5
            """)
    }

    /// Makes a new database, empty, of schema version 1, with nothing applied and a digest of zero.
    /// - Throws: `StoreError.cannotOpen` when there is one already.
    package static func create(at path: String) throws(StoreError) -> ReplicatedDatabase {
        try create(at: path, tables: Schema.replicated)
    }

    static func create(at path: String, tables: String) throws(StoreError) -> ReplicatedDatabase {
        let connection = try Connection.open(path, readOnly: false)
        try connection.access { _ throws(StoreError) in
            guard try Statement(connection, "SELECT count(*) FROM sqlite_schema").first({ $0.integer(0) }) == 0 else {
                throw .cannotOpen(path: path, reason: "there is a database already")
            }
            try connection.execute(
                """
                BEGIN IMMEDIATE;
                \(tables)
                \(Schema.local)
                PRAGMA application_id = \(Schema.applicationID);
                PRAGMA user_version = \(Schema.format);
                COMMIT;
                """)
        }
        return try open(connection)
    }

    /// Opens what `create` has made. An open batch of an earlier life is gone; its entry, if any, is in the log.
    package static func open(at path: String) throws(StoreError) -> ReplicatedDatabase {
        guard FileSystem.exists(path) else { throw .missing(path: path) }
        return try open(try Connection.open(path, readOnly: false))
    }

    private static func open(_ connection: Connection) throws(StoreError) -> ReplicatedDatabase {
        try connection.access { _ throws(StoreError) in
            let found = try Statement(connection, "PRAGMA application_id").first { $0.integer(0) }
            guard found == Schema.applicationID else {
                throw .damaged(path: connection.path, message: "it is not a database of Twinline")
            }
            let format = try Statement(connection, "PRAGMA user_version").first { $0.integer(0) } ?? 0
            guard format <= Schema.format else {
                throw .newerFormat(path: connection.path, newest: Schema.format, found: format)
            }
            if format < 2 {
                try connection.execute(
                    "BEGIN IMMEDIATE; \(Schema.indexByDeadline) PRAGMA user_version = \(Schema.format); COMMIT;")
            }
            let standing = try Standing(connection)
            return try ReplicatedDatabase(connection, standing, try ReplicatedTable.all(connection))
        }
    }
}

/// The transaction. All of this is called inside `connection.access`.
extension ReplicatedDatabase {
    /// Writes where the database then stands, and commits.
    func commitTransaction(_ after: Standing) throws(StoreError) {
        try updateStanding.bind(1, Int64(bitPattern: after.position.epoch.value))
        try updateStanding.bind(2, Int64(bitPattern: after.position.lsn.value))
        try updateStanding.bind(3, Int64(truncatingIfNeeded: after.digest.value >> 64))
        try updateStanding.bind(4, Int64(truncatingIfNeeded: after.digest.value))
        try updateStanding.bind(5, Int64(after.schemaVersion))
        try updateStanding.run()
        try transaction.commit()
        standing = after
    }

    /// Rolls back, and forgets all that was prepared or remembered in the transaction. What a failed ROLLBACK leaves
    /// is gone when the connection is closed.
    func abandonTransaction(tablesBefore: [ReplicatedTable]) {
        try? transaction.rollBack()
        role = .none
        tables = tablesBefore
    }
}

extension ReplicatedDatabase.Standing {
    init(_ connection: Connection) throws(StoreError) {
        let select = try Statement(
            connection, "SELECT epoch, lsn, digest_high, digest_low, schema_version FROM _twinline_applied")
        let standing = try select.first { row throws(StoreError) in
            let high = UInt64(bitPattern: row.integer(2)), low = UInt64(bitPattern: row.integer(3))
            return Self(
                position: Position(
                    Epoch(UInt64(bitPattern: row.integer(0))), LSN(UInt64(bitPattern: row.integer(1)))),
                digest: Digest(UInt128(high) << 64 | UInt128(low)),
                schemaVersion: UInt32(truncatingIfNeeded: row.integer(4)))
        }
        guard let standing else {
            throw .damaged(path: connection.path, message: "it does not say how far it is applied")
        }
        self = standing
    }
}
