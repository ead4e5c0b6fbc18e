import Engine
import Store
import Tickets
import Wire

// What the engine and the store call the same things.

extension StoreRequest {
    init(_ pending: PendingWrite) {
        let request = pending.request
        let body: Body
        switch request.body {
        case .openSession: body = .openSession
        case .command(let command): body = .command(command)
        }
        self.init(
            session: request.session, sequence: Int64(clamping: request.sequence),
            answeredBelow: request.answeredBelow, actor: pending.actor, body: body)
    }
}

extension WriteAnswer.Outcome {
    init(_ outcome: Outcome) {
        switch outcome {
        case .answer(.done(let done), _): self = .done(done)
        case .answer(.refused(let refusal), _): self = .refused(refusal)
        case .sessionOpened(let session): self = .sessionOpened(session)
        case .unknownSession: self = .refused(.unknownSession)
        case .windowExpired: self = .refused(.windowExpired)
        case .failed, .sessionsExpired: self = .notNow(.overloaded)
        }
    }
}

extension WorkerFailure {
    init(_ error: StoreError) {
        let text = "\(error)"
        switch error {
        case .copiesDiffer, .digestDiffers, .schemaVersionDiffers: self = .copiesDiffer(text)
        case .damaged: self = .damaged(text)
        case .diskFull: self = .diskFull(text)
        default: self = .failed(text)
        }
    }
}
