import CSQLiteSession
import Replication
import Tickets

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
        if let first = requests.first, requests.count == 1, case .changeSchema(let sql) = first.body {
            return try changeSchema(sql, first, now: now)
        }
        return try run(requests, now: now)
    }

    private func run(
        _ requests: [StoreRequest], now: Int64, decided: [Int: Refusal] = [:]
    ) throws(StoreError) -> Batch {
        try connection.access { _ throws(StoreError) in
            do throws(StoreError) {
                let batch = try executor().run(requests, now: now, digest: standing.digest, decided: decided)
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

    /// The SQL, then the answer, in a transaction that stays open like a batch's. What can't be done is undone and
    /// refused, and its refusal is an entry like any other.
    private func changeSchema(_ sql: String, _ request: StoreRequest, now: Int64) throws(StoreError) -> Batch {
        // An earlier copy may have an answer.
        if let seen = try connection.access({ _ throws(StoreError) in try executor().seen(request) }) {
            return Batch(outcomes: [seen], changeset: [], digest: standing.digest)
        }
        let tablesBefore = tables
        let attempt: Result<Batch, SchemaFailure> = try connection.access { _ throws(StoreError) in
            do throws(StoreError) {
                try transaction.begin()
                switch try define(sql, after: standing) {
                case .failure(let failure):
                    abandonTransaction(tablesBefore: tablesBefore)
                    return .failure(failure)
                case .success(var after):
                    let answer = Answer.schemaChanged(version: after.schemaVersion)
                    let changes = try executor().conclude(request, answer, now: now, digest: &after.digest)
                    let change = SchemaChange(sql: sql, signature: try signature(), changeset: changes)
                    openBatch = OpenBatch(
                        after: after, tablesBefore: tablesBefore, kind: .schema, payload: change.payload)
                    return .success(
                        Batch(
                            outcomes: [.answer(answer, remembered: false)], changeset: change.payload,
                            digest: after.digest, kind: .schema))
                }
            } catch {
                abandonTransaction(tablesBefore: tablesBefore)
                throw error
            }
        }
        switch attempt {
        case .success(let batch): return batch
        case .failure(let failure):
            let refusal = Refusal.statementFailed(statement: failure.statement, reason: failure.reason)
            return try run([request], now: now, decided: [0: refusal])
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
        twinline_enforce_foreign_keys(connection.raw, 1)
        let executor = try Executor(connection, transaction, tables: tables, clock: clock)
        role = .executing(executor)
        return executor
    }
}
