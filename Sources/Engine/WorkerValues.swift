import DurableLog
import Store
import Tickets
import Wire

// What workers make of what they are given.

extension PendingWrite {
    /// A schema change is an entry by itself.
    package var standsAlone: Bool { if case .changeSchema = request.body { true } else { false } }
}

extension StoreRequest {
    package init(_ pending: PendingWrite) {
        let request = pending.request
        let body: Body
        switch request.body {
        case .openSession: body = .openSession
        case .command(let command): body = .command(command)
        case .withdraw: body = .withdraw
        case .execute(let statements): body = .execute(statements)
        case .changeSchema(let sql): body = .changeSchema(sql)
        }
        self.init(
            session: request.session, sequence: Int64(clamping: request.sequence),
            answeredBelow: request.answeredBelow, actor: pending.actor, body: body)
    }
}

extension WriteAnswer.Outcome {
    package init(_ outcome: Outcome) {
        switch outcome {
        case .answer(.done(let done), _): self = .done(done)
        case .answer(.executed(let results), _): self = .executed(results)
        case .answer(.schemaChanged(let version), _): self = .schemaChanged(version: version)
        case .answer(.refused(let refusal), _): self = .refused(refusal)
        case .sessionOpened(let session): self = .sessionOpened(session)
        case .unknownSession: self = .refused(.unknownSession)
        case .windowExpired: self = .refused(.windowExpired)
        case .failed, .postponed, .sessionsExpired: self = .notNow(.overloaded)
        }
    }
}

extension WorkerFailure {
    package init(_ error: StoreError) {
        let text = "\(error)"
        switch error {
        case .copiesDiffer, .digestDiffers, .schemaVersionDiffers, .schemaDiffers: self = .copiesDiffer(text)
        case .damaged: self = .damaged(text)
        case .diskFull: self = .diskFull(text)
        default: self = .failed(text)
        }
    }
}

extension EntryLog {
    /// The end of the log, as the next entry has to know it. Nil: it holds no entry, and can't say.
    package func tip() throws(LogError) -> LogTip? {
        guard last.lsn >= first, let frame = try read(from: last.lsn, maxBytes: 1).last else { return nil }
        return LogTip(after: frame)
    }
}

extension LogTip {
    /// The end of a log for as long as it holds no entry: it then begins where the database stands that was opened with
    /// it, as in a new pair, behind a copy that was fetched, or after all was cut that had followed the copy.
    package init(of database: ReplicatedDatabase, beneath log: EntryLog) throws(LogError) {
        self.init(
            position: database.applied, chain: try log.chain(at: database.applied.lsn) ?? log.lastChain,
            digest: database.digest, schemaVersion: database.schemaVersion)
    }
}

extension WorkerFailure {
    package init(_ error: LogError) {
        let text = "\(error)"
        switch error {
        case .syncFailed: self = .syncFailed(text)
        case .damaged: self = .damaged(text)
        case .full: self = .diskFull(text)
        default: self = .failed(text)
        }
    }
}
