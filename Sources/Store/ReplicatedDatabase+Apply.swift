import CSQLiteSession
import Planted
import Replication

/// The standby's path, and recovery's.
extension ReplicatedDatabase {
    /// Applies committed entries, all in one transaction; those that are applied already are passed over. The digest
    /// is compared after each.
    /// - Throws: `StoreError`: nothing of these entries is then applied. `copiesDiffer`, `digestDiffers` and
    ///   `schemaVersionDiffers` mean that this copy is not what it should be: the node must stop.
    package func apply(_ entries: [Entry]) throws(StoreError) {
        precondition(openBatch == nil, "a batch is open: commit it or roll it back first")
        guard let last = entries.last, last.position.lsn > applied.lsn else { return }
        let tablesBefore = tables
        defer { if applied == last.position { uncommitted = nil } }
        try connection.access { _ throws(StoreError) in
            do throws(StoreError) {
                try transaction.begin()
                var after = standing
                for entry in entries where entry.position.lsn > applied.lsn {
                    after = try apply(entry, after: after)
                }
                try commitTransaction(after)
            } catch {
                abandonTransaction(tablesBefore: tablesBefore)
                throw error
            }
        }
    }

    private func apply(
        _ entry: Entry, after before: Standing
    ) throws(StoreError) -> Standing {
        let position = entry.position
        guard position.lsn == before.position.lsn.next, position.epoch >= before.position.epoch else {
            throw .outOfOrder(position: position, applied: before.position)
        }
        guard entry.schemaVersion == before.schemaVersion else {
            throw .schemaVersionDiffers(
                position: position, expected: entry.schemaVersion, found: before.schemaVersion)
        }
        var after = before
        switch entry.kind {
        case .changes: try applier().apply(entry.payload, at: position, digest: &after.digest)
        case .schema: after = try applySchema(entry, after: before)
        case .mark, .forcedMark: break
        }
        after.position = position
        guard after.digest == entry.digest || planted("ignoreTheDigest") else {
            throw .digestDiffers(position: position, expected: entry.digest, found: after.digest)
        }
        return after
    }

    private func applySchema(_ entry: Entry, after before: Standing) throws(StoreError) -> Standing {
        let position = entry.position
        guard let change = SchemaChange(payload: entry.payload) else {
            throw .malformedEntry(position: position, offset: 0)
        }
        switch try define(change.sql, after: before) {
        case .failure(let failure): throw .schemaDiffers(position: position, reason: failure.reason)
        case .success(var after):
            guard try signature() == change.signature else {
                throw .schemaDiffers(position: position, reason: "the definitions are not those of the other node")
            }
            try applier().apply(change.changeset, at: position, digest: &after.digest)
            return after
        }
    }

    private func applier() throws(StoreError) -> Applier {
        if case .applying(let applier) = role { return applier }
        role = .none
        // The changesets carry what triggers did.
        twinline_enable_triggers(connection.raw, 0)
        twinline_enforce_foreign_keys(connection.raw, 0)
        let applier = try Applier(connection, tables: tables)
        role = .applying(applier)
        return applier
    }
}
