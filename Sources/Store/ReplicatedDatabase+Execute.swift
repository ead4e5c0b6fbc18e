import CSQLiteSession
import Replication

/// The primary's path.
extension ReplicatedDatabase {
    /// Runs the requests in one transaction, which stays open until `commit` or `rollBack`, unless nothing changed.
    ///
    /// A request that the database fails to do is undone and its outcome says so; the others are not touched by it.
    /// - Parameter now: milliseconds since 1970 (UTC), for the rows of the history.
    /// - Throws: `StoreError` when the whole transaction is lost, such as for a full disk. It is then rolled back:
    ///   nothing happened, and nothing is open.
    package func execute(_ requests: [StoreRequest], now: Int64) throws(StoreError) -> Batch {
        precondition(openBatch == nil, "a batch is open: commit it or roll it back first")
        return try connection.access { _ throws(StoreError) in
            do throws(StoreError) {
                let batch = try executor().run(requests, now: now, digest: standing.digest)
                if batch.changeset.isEmpty {
                    try transaction.rollBack()
                } else {
                    openBatch = OpenBatch(
                        after: standing, tablesBefore: tables, kind: .changes, payload: batch.changeset)
                    openBatch?.after.digest = batch.digest
                }
                return batch
            } catch {
                abandonTransaction(tablesBefore: tables)
                throw error
            }
        }
    }

    /// Changes the schema, in a transaction that stays open like a batch's. The batch's changeset is the SQL itself,
    /// the payload of an entry of the kind `schema`. Reads all tables, to compute the digest anew.
    /// - Throws: `StoreError`; nothing is then changed, and nothing is open.
    package func executeSchema(_ sql: String) throws(StoreError) -> Batch {
        precondition(openBatch == nil, "a batch is open: commit it or roll it back first")
        let tablesBefore = tables
        return try connection.access { database throws(StoreError) in
            do throws(StoreError) {
                try transaction.begin()
                let payload = Array(sql.utf8)
                let after = try changeSchema(payload, at: applied, after: standing, database)
                openBatch = OpenBatch(after: after, tablesBefore: tablesBefore, kind: .schema, payload: payload)
                return Batch(outcomes: [], changeset: payload, digest: after.digest)
            } catch {
                abandonTransaction(tablesBefore: tablesBefore)
                throw error
            }
        }
    }

    /// Commits the open batch, whose entry stands at this position in the log.
    /// - Throws: when the COMMIT fails. The batch is then rolled back here, but it is in the log: it must be applied
    ///   from there, by this node after a restart, or, if the disk was full, once there is room: it is `uncommitted`.
    package func commit(at position: Position) throws(StoreError) {
        guard var batch = openBatch else { preconditionFailure("no batch is open to be committed at \(position)") }
        openBatch = nil
        batch.after.position = position
        try connection.access { _ throws(StoreError) in
            do throws(StoreError) { try commitTransaction(batch.after) } catch {
                abandonTransaction(tablesBefore: batch.tablesBefore)
                if case .diskFull = error {
                    uncommitted = Entry(
                        position: position, kind: batch.kind, schemaVersion: standing.schemaVersion,
                        digest: batch.after.digest, payload: batch.payload)
                }
                throw error
            }
        }
    }

    /// Undoes the open batch. Harmless when none is open.
    package func rollBack() {
        guard let batch = openBatch else { return }
        openBatch = nil
        connection.access { _ in abandonTransaction(tablesBefore: batch.tablesBefore) }
    }

    private func executor() throws(StoreError) -> Executor {
        if case .executing(let executor) = role { return executor }
        role = .none
        twinline_enable_triggers(connection.raw, 1)
        let executor = try Executor(connection, transaction, tables: tables)
        role = .executing(executor)
        return executor
    }
}
