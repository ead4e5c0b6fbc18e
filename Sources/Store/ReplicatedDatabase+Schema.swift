import CSQLiteSession
import GRDB
import Replication

/// Schema changes, the same on both nodes.
extension ReplicatedDatabase {
    /// Runs the SQL inside the open transaction, without capture and without triggers, and computes the digest anew.
    func changeSchema(
        _ payload: [UInt8], at position: Position, after before: Standing, _ database: Database
    ) throws(StoreError) -> Standing {
        guard let sql = String(validating: payload, as: UTF8.self), !payload.contains(0) else {
            throw .malformedEntry(position: position, offset: 0)
        }
        // The statements of either role were prepared for the tables as they were.
        role = .none
        twinline_enable_triggers(connection.raw, 0)
        let columnsBefore = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0.columns.count) })
        try runChanges(sql)
        tables = try ReplicatedTable.all(database, connection)
        for table in tables where table.columns.count > columnsBefore[table.name] ?? .max {
            try completeRows(of: table)
        }
        var after = before
        after.schemaVersion += 1
        after.digest = try computeDigest()
        return after
    }

    /// `ALTER TABLE … ADD COLUMN` leaves the rows as they are on the disk, and the preupdate hook then shows NULL
    /// for a default value that a SELECT shows. Written anew, the rows hold it.
    private func completeRows(of table: ReplicatedTable) throws(StoreError) {
        guard let last = table.columns.last else { return }
        try connection.execute(
            "UPDATE \(quoted(table.name)) SET \(quoted(last.name)) = \(quoted(last.name))")
    }

    /// Each statement must change something. SQLite counts those that end or nest transactions among the others: none
    /// of them may run here, since the transaction must end with the entry.
    private func runChanges(_ sql: String) throws(StoreError) {
        let result = sql.withCString { start in
            Result<Void, StoreError> { () throws(StoreError) in
                var next: UnsafePointer<CChar>? = start
                while let current = next, current[0] != 0 {
                    var raw: OpaquePointer?
                    let code = sqlite3_prepare_v2(connection.raw, current, -1, &raw, &next)
                    guard code == SQLITE_OK else { throw connection.error(code) }
                    // Nothing but space, or a comment.
                    guard let raw else { continue }
                    let statement = Statement(connection, prepared: raw)
                    guard sqlite3_stmt_readonly(raw) == 0 else {
                        throw .sql(code: SQLITE_MISUSE, message: "\(String(cString: sqlite3_sql(raw))) changes nothing")
                    }
                    try statement.run()
                }
            }
        }
        try result.get()
    }
}
