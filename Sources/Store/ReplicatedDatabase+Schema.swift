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
        try connection.execute(sql)
        guard connection.isInTransaction else {
            throw .sql(code: SQLITE_MISUSE, message: "a schema change must not end the transaction")
        }
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
}
