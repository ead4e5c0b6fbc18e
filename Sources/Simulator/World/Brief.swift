import Engine
import Replication
import Seat
import Tickets

// How what happens is written down, a line an event: nothing in it depends on a real clock, a path or the process.

extension Role {
    var brief: String {
        switch self {
        case .standby(let standby):
            switch standby.phase {
            case .idle: "idle"
            case .adopting: "adopting"
            case .joining: "joining"
            case .cutting: "cutting"
            case .following: "standby"
            case .fetching: "fetching"
            }
        case .claiming: "claiming"
        case .primary(let primary): primary.serving ? primary.needsStandby ? "primary" : "solo" : "leading"
        case .fenced: "fenced"
        }
    }
}

extension UniqueNumber {
    var brief: String { "\(String(process >> 48, radix: 16)).\(counter)" }
}

extension RandomID { var brief: String { String(description.prefix(4)) } }

extension Message {
    var brief: String { "\(epoch)\(session == .none ? "" : "/\(session.brief)") \(body.brief)" }
}

extension Message.Body {
    var brief: String {
        switch self {
        case .hello(let hello):
            "hello\(hello.leads ? " leading" : "") synced \(hello.synced) disk \(hello.disk.brief)"
                + " starts \(hello.starts)\(hello.full ? " full" : "")"
        case .join(let join): "join log to \(join.log.last) synced \(join.synced) disk \(join.disk.brief)"
        case .joinAccepted(let common): "join accepted at \(common)"
        case .joinRefused(let refusal): "join refused: \(refusal)"
        case .append(let run, let committed): "append \(run.first)...\(run.last) committed \(committed)"
        case .acknowledge(let synced, let applied, let reachesWitness, let hasRoom):
            "acknowledge \(synced) applied \(applied)\(reachesWitness ? "" : ", no witness")\(hasRoom ? "" : ", full")"
        case .working: "working"
        case .stranded(let seats): "\(seats) seats are stranded"
        case .heartbeat(let committed, let synced, let applied): "heartbeat \(synced)/\(committed)/\(applied)"
        case .confirm(let round): "confirm \(round)"
        case .confirmed(let round): "confirmed \(round)"
        case .handOver(let lsn): "hand over at \(lsn)"
        case .stale: "stale"
        case .fetch(let table): "fetch after \(table.last)"
        case .fetched(let run, _): "fetched \(run.first)...\(run.last)"
        case .adopt(let choice): "adopt \(choice.id.brief)#\(choice.number)"
        case .adopted(let choice, let version): "adopted \(choice.id.brief)#\(choice.number) at v\(version)"
        }
    }
}

extension Register {
    var brief: String { "v\(version) \(epoch) \(primary) \(mode == .solo ? "solo" : "paired") floor \(floor)" }
}

extension RegisterRequest {
    var brief: String {
        switch action {
        case .read: "\(number.brief) read"
        case .compareAndSet(let version, let register): "\(number.brief) change v\(version) to \(register.brief)"
        case .testify(let said): "\(number.brief) testify\(said.leads ? " leading" : "") \(said.register.brief)"
        case .install(let register): "\(number.brief) install \(register.brief)"
        }
    }
}

extension RegisterAnswer {
    var brief: String {
        switch outcome {
        case .current(let register): "\(number.brief) current \(register.brief)"
        case .won(let register): "\(number.brief) won \(register.brief)"
        case .lost(let register): "\(number.brief) lost \(register.brief)"
        case .refused(let refusal): "\(number.brief) refused: \(refusal)"
        }
    }
}

extension WorkerEvent {
    var brief: String {
        switch self {
        case .logSynced(let lsn): "log synced \(lsn)"
        case .logWorked: "log worked"
        case .logCut(let lsn, _): "log cut to \(lsn)"
        case .entriesRead(let frames, let purpose): "\(frames.count) entries read for \(purpose)"
        case .recordSaved(let record):
            "record saved \(record.epoch) claimed \(record.claimed) disk \(record.disk.brief) \(record.register.brief)"
        case .batchExecuted(let batch): "executed \(batch.answers.count)"
        case .requestsReturned(let requests, let reason): "returned \(requests.count): \(reason)"
        case .applied(let lsn): "applied \(lsn)"
        case .checkpointed(let lsn): "checkpointed \(lsn)"
        case .logReleased(let first): "log released before \(first)"
        case .failed(let failure): "failed: \(failure.brief)"
        case .roomChanged(let hasRoom): "room: \(hasRoom)"
        }
    }
}

extension WorkerFailure {
    /// Without the paths that the reason names.
    var brief: String {
        switch self {
        case .syncFailed: "a sync"
        case .damaged: "damaged"
        case .copiesDiffer: "the copies differ"
        case .diskFull: "the disk is full"
        case .failed: "unexpectedly"
        }
    }
}

extension Operation {
    var brief: String {
        switch wish {
        case .command(let command): "\(number): \(command.action)\(name.map { " again as \($0)" } ?? "")"
        case .read(let query, let level):
            switch query {
            case .show: "\(number): show, \(level)"
            case .list: "\(number): list, \(level)"
            case .history: "\(number): history, \(level)"
            case .sql: "\(number): sql, \(level)"
            case .changes: "\(number): changes"
            }
        }
    }
}

extension SeatSession.Outcome {
    var brief: String {
        switch self {
        case .done(let done): "done in revision \(done.revision)"
        case .failed(.refused): "refused"
        case .failed(.unknown(let name)): "unknown as \(name)"
        case .failed(.unreachable): "unreachable"
        case .failed(.diskFull): "disks full"
        case .failed(.kept): "kept"
        case .failed(.notKept): "not kept"
        case .failed(.misconfigured): "misconfigured"
        case .named(let name): "named \(name)"
        case .nameVoid: "its name is void"
        case .view: "a view"
        case .executed: "executed"
        case .schemaChanged: "schema changed"
        case .status: "status"
        case .operation: "an operation"
        }
    }
}
