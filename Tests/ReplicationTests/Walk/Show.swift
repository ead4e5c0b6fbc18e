import Replication

extension SimulatedNode {
    var roleName: String { replica.map { $0.role.show } ?? "dead" }

    /// time  node role epoch appended/synced/committed/applied  fact -> effects
    func trace(_ what: String, _ effects: [Effect]) {
        guard let replica else { return }
        let state = "\(name) \(roleName) \(replica.epoch) "
            + "\(replica.log.last.lsn)/\(replica.synced)/\(replica.committed)/\(replica.applied)"
        if what == "tick" && effects.allSatisfy({ if case .send = $0 { true } else { false } }) { return }
        world.note(state + "  " + what + (effects.isEmpty ? "" : " -> " + effects.map(\.show).joined(separator: "; ")))
    }
}

extension Role {
    var show: String {
        switch self {
        case .standby(let standby): "standby.\(standby.phase.show)"
        case .claiming(let claim): "claiming(\(claim.number)\(claim.asked ? ", asked" : ""))"
        case .primary(let primary):
            "primary" + (primary.serving ? "" : ".rising") + (primary.needsStandby ? ".needs" : ".solo")
                + (primary.session.map { $0.settled ? ".settled" : ".joined(\($0.id.counter))" } ?? ".alone")
                + (primary.handover == nil ? "" : ".handover")
        case .fenced: "fenced"
        }
    }
}

extension Standby.Phase {
    var show: String {
        switch self {
        case .idle: "idle"
        case .adopting(let epoch): "adopting(\(epoch))"
        case .joining(let session): "joining(\(session.counter))"
        case .cutting(let session, let lsn): "cutting(\(session.counter), to \(lsn))"
        case .following(let session): "following(\(session.counter))"
        case .fetching: "fetching"
        }
    }
}

extension Replica.Effect {
    var show: String {
        switch self {
        case .save(let record): "save \(record.epoch) claimed \(record.claimed) \(record.register.show)"
        case .send(let message): "send \(message.show)"
        case .ask(let request): "ask \(request.show)"
        case .append(let run): "append \(run.show)"
        case .mark(let position): "mark \(position)"
        case .cut(let lsn): "cut to \(lsn)"
        case .ship(let lsn, let session): "ship from \(lsn) in \(session.counter)"
        case .commit(let lsn): "commit through \(lsn)"
        case .confirmReads(let round): "confirm reads through \(round)"
        case .lend(let position): "lend after \(position)"
        case .halt(let violation): "halt \(violation)"
        }
    }
}

extension Run {
    var show: String { isEmpty ? "nothing" : "\(starts.map(\.description).joined(separator: ","))...\(last.lsn)" }
}

extension Message {
    var show: String { "\(epoch)/\(session.counter) \(body.show)" }
}

extension Message.Body {
    var show: String {
        switch self {
        case .hello(let hello):
            "hello \(hello.leads ? "leading " : "")synced \(hello.synced)"
        case .join(let join): "join log \(join.log.show) synced \(join.synced)"
        case .joinAccepted(let common): "joinAccepted \(common)"
        case .joinRefused(let refusal): "joinRefused \(refusal)"
        case .append(let run, let committed): "append \(run.show) committed \(committed)"
        case .acknowledge(let synced, let applied, let reaches):
            "acknowledge \(synced) applied \(applied)" + (reaches ? "" : " without witness")
        case .heartbeat(let committed, let synced, let applied): "heartbeat \(committed)/\(synced)/\(applied)"
        case .confirm(let round): "confirm \(round)"
        case .confirmed(let round): "confirmed \(round)"
        case .handOver(let lsn): "handOver through \(lsn)"
        case .stale: "stale"
        case .fetch(let table): "fetch log \(table.show)"
        case .fetched(let run, let last): "fetched \(run.show) of \(last)"
        case .adopt(let witness): "adopt \(witness.show)"
        case .adopted(let witness, let version): "adopted \(witness.show), knows v\(version)"
        }
    }
}

extension WitnessChoice {
    var show: String { "witness \(id.low) #\(number)" }
}

extension EpochTable {
    var show: String { "[" + (starts + [last]).map(\.description).joined(separator: " ") + "]" }
}

extension Register {
    var show: String { "v\(version) \(epoch) \(primary) \(mode) floor \(floor)" }
}

extension RegisterRequest {
    var show: String {
        switch action {
        case .read: "read [\(number.counter)]"
        case .compareAndSet(let version, let register):
            "set at \(version) \(register.epoch) \(register.primary) \(register.mode) floor \(register.floor) "
                + "[\(number.counter)]"
        case .testify(let testimony):
            "testify\(testimony.leads ? " leads" : "") \(testimony.register.show) [\(number.counter)]"
        case .install(let register): "install \(register.show) [\(number.counter)]"
        }
    }
}

extension RegisterAnswer {
    var show: String {
        switch outcome {
        case .current(let register): "current \(register.show) [\(number.counter)]"
        case .won(let register): "won \(register.show) [\(number.counter)]"
        case .lost(let register): "lost \(register.show) [\(number.counter)]"
        case .refused(let refusal): "refused \(refusal) [\(number.counter)]"
        }
    }
}
