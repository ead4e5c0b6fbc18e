import Engine
import Replication

// The facts that go through a replica, named as in the reviewed table of transitions.

extension Message.Body {
    var cause: String {
        switch self {
        case .hello: "hello"
        case .join: "join"
        case .joinAccepted: "join accepted"
        case .joinRefused: "join refused"
        case .append: "append"
        case .acknowledge: "acknowledge"
        case .working: "working"
        case .stranded: "stranded seats"
        case .heartbeat: "heartbeat"
        case .confirm: "confirm"
        case .confirmed: "confirmed"
        case .handOver: "hand over"
        case .stale: "stale"
        case .fetch: "fetch"
        case .fetched: "fetched"
        case .adopt: "adopt"
        case .adopted: "adopted"
        }
    }
}

extension RegisterAnswer {
    var cause: String {
        switch outcome {
        case .current: "current"
        case .won: "won"
        case .lost: "lost"
        case .refused: "refused"
        }
    }
}

extension WorkerEvent {
    var cause: String {
        switch self {
        case .logSynced: "log synced"
        case .logWorked: "log worked"
        case .logCut: "log cut"
        case .entriesRead: "entries read"
        case .recordSaved: "record saved"
        case .batchExecuted: "propose"
        case .requestsReturned: "requests returned"
        case .applied: "applied all that is committed"
        case .checkpointed: "checkpointed"
        case .logReleased: "log released"
        case .failed: "failed"
        case .roomChanged: "room changed"
        }
    }
}
