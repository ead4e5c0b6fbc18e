import Replication

/// How what a replica does is written down, in traces, in the table of transitions and in the reports of the walks.
/// `Words` reads the same notation back.
///
/// `e3:2` is a position, `e3:2..5` a run of entries, `b.4` the fourth number that a process of node b drew, and
/// `e3/b.4` heads a message of this epoch and session. What has its usual value is left out: a's disk is 1 and b's 2,
/// each node has started once, the floor is that of an empty log.
extension Replica.Effect {
    var show: String {
        switch self {
        case .save(let record): "save \(record.show)"
        case .send(let message): "send \(message.show)"
        case .ask(let request): "ask \(request.show)"
        case .append(let run): "append \(run.show)"
        case .mark(let position, let forced): "mark \(position)" + (forced ? " forced" : "")
        case .cut(let lsn): "cut to \(lsn)"
        case .ship(let lsn, let session): "ship from \(lsn) in \(session)"
        case .commit(let lsn): "commit through \(lsn)"
        case .confirmReads(let round): "confirm reads through \(round)"
        case .lend(let position): "lend after \(position)"
        case .reseed: "reseed"
        case .halt(let violation): "halt \(violation)"
        }
    }
}

extension NodeRecord {
    var show: String {
        "\(epoch) claimed \(claimed) disk \(disk.show)" + (starts == 1 ? "" : " starts \(starts)")
            + " register \(register.show)" + (witness == Stage.witness ? "" : " witness \(witness.show)")
    }
}

extension RandomID {
    var show: String { high == low ? "\(low)" : String(description.prefix(8)) }
}

// MARK: messages

extension Message {
    var show: String { "\(epoch)\(session == .none ? "" : "/\(session)") \(body.show)" }
}

extension Message.Body {
    var show: String {
        switch self {
        case .hello(let hello): "hello \(hello.show)"
        case .join(let join): "join \(join.show)"
        case .joinAccepted(let common): "join accepted at \(common)"
        case .joinRefused(let refusal): "join refused \(refusal)"
        case .append(let run, let committed): "append \(run.show) committed \(committed)"
        case .acknowledge(let synced, let applied, let reachesWitness, let hasRoom):
            "acknowledge \(synced) applied \(applied)" + (reachesWitness ? "" : " without witness")
                + (hasRoom ? "" : " without room")
        case .heartbeat(let committed, let synced, let applied):
            "heartbeat committed \(committed) synced \(synced) applied \(applied)"
        case .confirm(let round): "confirm \(round)"
        case .confirmed(let round): "confirmed \(round)"
        case .handOver(let lsn): "hand over through \(lsn)"
        case .stale: "stale"
        case .working: "working"
        case .stranded(let seats): "stranded \(seats)"
        case .fetch(let table): "fetch log \(table.show)"
        case .fetched(let run, _): "fetched \(run.show)"
        case .adopt(let witness): "adopt \(witness.show)"
        case .adopted(let witness, let version): "adopted \(witness.show) at v\(version)"
        }
    }
}

extension Hello {
    var show: String {
        "from \(node)\(leads ? " leading" : "") synced \(synced)" + usual(disk, starts, of: node)
            + (full ? " full" : "")
    }
}

extension Join {
    var show: String {
        "log \(log.show) synced \(synced) disk \(disk.show)" + (starts == 1 ? "" : " starts \(starts)")
            + (witness == Stage.witness ? "" : " witness \(witness.show)")
    }
}

extension WitnessChoice {
    var show: String { "\(id.low)#\(number)" }
}

private func usual(_ disk: RandomID, _ starts: UInt64, of node: NodeName) -> String {
    (disk == Stage.disks[node] ? "" : " disk \(disk.show)") + (starts == 1 ? "" : " starts \(starts)")
}

extension Run {
    var show: String { stretches(starts, last) }
}

extension EpochTable {
    var show: String {
        let kept = stretches(starts, last)
        return base == .zero ? kept : "after \(base) " + kept
    }
}

/// `e1:1,e2:2..4`: what each epoch wrote.
private func stretches(_ starts: [Position], _ last: Position) -> String {
    guard !starts.isEmpty else { return "nothing" }
    let ends = starts.dropFirst().map { $0.lsn.value - 1 } + [last.lsn.value]
    return zip(starts, ends).map { $0.lsn.value == $1 ? "\($0)" : "\($0)..\($1)" }.joined(separator: ",")
}

// MARK: the register

extension Register {
    var show: String { "v\(version) \(showWithoutVersion)" }

    fileprivate var showWithoutVersion: String {
        "\(epoch) \(primary) \(mode)" + (floor == .zero ? "" : " floor \(floor)")
            + (disks == Stage.disks ? "" : " disks \(disks.a.show) \(disks.b.show)")
            + (starts == PerNode(a: 1, b: 1) ? "" : " starts \(starts.a) \(starts.b)")
    }
}

extension RegisterRequest {
    var show: String {
        switch action {
        case .read: "\(number) read"
        case .compareAndSet(let version, let register): "\(number) change v\(version) to \(register.showWithoutVersion)"
        case .install(let register): "\(number) install \(register.show)"
        case .testify(let testimony):
            "\(number) testify from \(testimony.node)\(testimony.leads ? " leading" : "") \(testimony.register.show)"
        }
    }
}

extension RegisterAnswer {
    var show: String {
        switch outcome {
        case .current(let register): "\(number) current \(register.show)"
        case .won(let register): "\(number) won \(register.show)"
        case .lost(let register): "\(number) lost \(register.show)"
        case .refused(let refusal): "\(number) refused \(refusal)"
        }
    }
}
