import Store

extension PendingWrite {
    /// A batch of its own, since it becomes an entry by itself.
    package var standsAlone: Bool { if case .changeSchema = request.body { true } else { false } }
}

extension StoreRequest {
    /// What a seat has asked for, as the database takes it.
    package init(_ pending: PendingWrite) {
        let request = pending.request
        let body: Body
        switch request.body {
        case .openSession: body = .openSession
        case .command(let command): body = .command(command)
        case .execute(let statements): body = .execute(statements)
        case .changeSchema(let sql): body = .changeSchema(sql)
        }
        self.init(
            session: request.session, sequence: Int64(clamping: request.sequence),
            answeredBelow: request.answeredBelow, actor: pending.actor, body: body)
    }
}

extension WriteAnswer.Outcome {
    /// What became of it in the database, as it is told to the seat.
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
