import Planted

extension Replica {
    /// The epoch that this node speaks in.
    public var epoch: Epoch {
        switch role {
        case .primary(let primary): primary.epoch
        case .standby, .claiming, .fenced: saved.epoch
        }
    }

    /// The newest epoch that anybody may hear of: it is on this disk (rule R7). A seat that heard of one which a kill
    /// takes back would listen to nobody in the older one, in which this node goes on.
    public var knownEpoch: Epoch { planted("tellOfAnUnsavedEpoch") ? epoch : min(epoch, saved.epoch) }

    var session: UniqueNumber {
        switch role {
        case .primary(let primary): primary.session?.id ?? .none
        case .standby(let standby): standby.session ?? .none
        case .claiming, .fenced: .none
        }
    }

    func message(_ body: Message.Body) -> Message { Message(epoch, session, body) }

    mutating func emit(_ effect: Effect) { effects.append(effect) }
    mutating func send(_ body: Message.Body) { post(message(body)) }

    /// Rule R7: nothing is sent in an epoch before that is on disk.
    mutating func post(_ message: Message) {
        if peer.linked, message.epoch <= saved.epoch || planted("speakBeforeTheEpochIsSaved") { emit(.send(message)) }
    }

    mutating func nextNumber() -> UniqueNumber {
        counter.counter += 1
        return counter
    }

    mutating func save(_ change: (inout NodeRecord) -> Void) {
        let before = record
        change(&record)
        if record != before { emit(.save(record)) }
    }

    /// Where this node's disk is, whatever has been appended since.
    var syncedPosition: Position { Position(log.epoch(at: synced) ?? .zero, synced) }

    /// Who and where this node is: the first message on every connection.
    public var hello: Message {
        // One that has won its claim greets in the epoch before, until the new one is on disk.
        Message(
            knownEpoch, .none,
            .hello(
                Hello(
                    node: name, leads: serves, synced: syncedPosition, disk: record.disk, starts: record.starts,
                    registerVersion: record.register.version, full: !isFit)))
    }

    mutating func sendHello() { post(hello) }

    /// Sorts a message by what it may count for (rule R8); each role's file says what it does then.
    mutating func handle(_ message: Message) {
        if case .hello(let hello) = message.body { return heard(hello, in: message.epoch) }
        if message.epoch > epoch, case .primary = role, !planted("ignoreANewerEpoch") {
            return fence(by: message.epoch)
        }
        switch message.body {
        case .fetch(let theirs): return lend(theirs)
        case .fetched(let run, let last): return take(run, last: last)
        case .join(let join): return accept(join, message)
        case .joinRefused(let refusal): return joinRefused(refusal, message)
        case .stale: return staleHeard(message)
        default: break
        }
        guard message.epoch == epoch else { return sendStale(message) }
        switch (role, message.body) {
        case (.standby(let standby), .joinAccepted(let common)):
            if standby.phase == .joining(message.session) { joined(at: common, in: message.session) }
        case (.standby(let standby), _) where standby.phase == .joining(message.session):
            // It came by a faster route than the acceptance, and comes again.
            break
        case (.standby, _), (.primary, _):
            guard message.session == session && session != .none || planted("countAnEarlierSession")
            else { return sendStale(message) }
            inSession(message.body)
        case (.claiming, .confirm(let round)) where planted("confirmWhileClaiming"):
            post(Message(message.epoch, message.session, .confirmed(round: round)))
        case (.claiming, _), (.fenced, _): break
        }
    }

    private mutating func inSession(_ body: Message.Body) {
        if case .standby(let standby) = role, !standby.follows { return }
        peer.sessionHeardAt = now
        switch (role, body) {
        case (.standby, .append(let run, let committed)): follow(run, committed)
        case (.standby, .heartbeat(let committed, _, _)): commit(through: min(committed, synced))
        case (.standby, .confirm(let round)): send(.confirmed(round: round))
        case (.standby, .adopt(let witness)): consent(to: witness)
        case (.standby, .handOver(let through)): if synced >= through { startClaim() }
        case (.primary, .acknowledge(let synced, let applied, let reachesWitness, let hasRoom)):
            acknowledged(synced, applied, reachesWitness, hasRoom)
            if !hasRoom { standbyFull() }
        case (.primary, .working): standbyWorks()
        case (.primary, .stranded(let seats)): strandedHeard(seats)
        case (.primary, .confirmed(let round)): confirmed(round)
        case (.primary, .adopted(let witness, let version)): adopted(witness, version)
        case (.primary, .append): emit(.halt(.twoPrimaries(epoch)))
        default: break
        }
    }

    private mutating func sendStale(_ message: Message) {
        guard message.session != .none else { return }
        post(Message(epoch, message.session, .stale))
    }

    /// Tells the sender of a stale frame's session that it is over.
    private mutating func staleHeard(_ message: Message) {
        guard message.session == session, session != .none else { return }
        switch role {
        case .standby: becomeIdle()
        case .primary: sessionLost()
        case .claiming, .fenced: break
        }
    }

    private mutating func heard(_ hello: Hello, in theirs: Epoch) {
        guard hello.node == name.other else { return }
        peer.hello = hello
        peer.epoch = theirs
        switch role {
        case .primary(let primary):
            if theirs > primary.epoch, !planted("ignoreANewerEpoch") { return fence(by: theirs) }
            if theirs >= primary.epoch, planted("fenceOnAnEqualEpoch") { return fence(by: theirs) }
            // It has restarted or lost the session: nothing will come of this one any more.
            if let session = primary.session, hello.starts > session.starts { sessionLost() }
            if primary.session == nil { sendHello() }
        case .standby, .claiming, .fenced:
            break
        }
    }
}
