import Planted

/// What follows from where things stand, whatever fact brought them there. Runs after every fact; says nothing twice.
extension Replica {
    mutating func pursue() {
        if installs { ask(.install) } else if !arbiter.testified { ask(.testimony) }
        joinIfLed()
        joinWhenAdopted()
        claimIfDue()
        pursueClaim()
        switch role {
        case .primary: pursuePrimary()
        case .fenced: if saved.epoch == record.epoch { ask(.read) }
        case .standby:
            if isDue(arbiter.readAt, every: timings.reread) { ask(.read) }
        case .claiming: break
        }
    }

    func isDue(_ last: Instant?, every milliseconds: UInt64) -> Bool {
        guard let last else { return true }
        return now >= last.advanced(byMilliseconds: milliseconds)
    }

    private mutating func pursuePrimary() {
        commitWhatMay()
        guard case .primary(let primary) = role else { return }
        if let session = primary.session {
            // Rule R3: require (done at the join), be level, then promise.
            if !session.settled, !session.isCatchingUp,
                session.acked >= session.levelAt || planted("promiseBeforeLevel"), session.witness == record.witness
            {
                if planted("promiseIfPaired"), record.register.mode == .paired { leading?.session?.settled = true }
                ask(.paired(session.id))
            }
            sendRound()
            pursueHandover()
            if session.settled, isDue(primary.floorRaisedAt, every: timings.raiseFloor) { ask(.paired(session.id)) }
        } else if lacksRegister || primary.needsStandby && mayAskForSolo(primary) {
            ask(primary.hearsWitness || lacksRegister ? .solo : .read)
        }
        if isDue(arbiter.readAt, every: timings.reread) { ask(.read) }
    }

    /// At once; but one that has lost its seats as well, or whose own disk is stuck, or that the other node has sent
    /// away, is probably the lost one itself, and gives the standby time to claim.
    private func mayAskForSolo(_ primary: Primary) -> Bool {
        guard let lostAt = primary.lostAt else { return true }
        let isolated = seats.hadAny && seats.connected == 0
        let patience = isolated || diskStalled || peer.dismissedThis ? 2 * timings.suspectAfter : 0
        return now >= lostAt.advanced(byMilliseconds: patience)
    }

    /// Nothing was heard of the other node for so long that it counts as lost.
    var peerSilent: Bool { now >= peer.heardAt.advanced(byMilliseconds: timings.suspectAfter) }

    /// Nothing was heard of the session for so long, whatever else was.
    var sessionSilent: Bool { now >= peer.sessionHeardAt.advanced(byMilliseconds: timings.suspectAfter) }

    /// Work waits for this node's disk, and the disk does not move.
    var diskStalled: Bool {
        synced < log.last.lsn && now >= syncProgressAt.advanced(byMilliseconds: timings.stallAfter)
    }

    /// Deadlines, at each tick.
    mutating func watch() {
        handOverIfFull()
        if let pending = arbiter.pending, now >= pending.since.advanced(byMilliseconds: timings.witnessAnswer) {
            noAnswer()
        }
        // Without the witness, or with a stuck disk, nothing comes of a claim: rather follow again.
        if case .claiming(let claim) = role, !claim.asked,
            now >= claim.since.advanced(byMilliseconds: timings.witnessAnswer) { becomeIdle() }
        guard case .primary(let primary) = role, let session = primary.session else { return }
        let stalled = session.acked < log.last.lsn && !diskStalled
            && now >= session.progressAt.advanced(byMilliseconds: timings.stallAfter)
            && now >= syncProgressAt.advanced(byMilliseconds: timings.stallAfter)
        // One that follows says so all the time; one that was asked to claim has stopped.
        let left = session.follows && primary.handover?.asked != true && sessionSilent
        if peerSilent || stalled || left && !planted("anyWordKeepsTheStandby") { return sessionLost() }
        if diskStalled, session.settled, primary.handover?.stalled != true {
            // One that was begun for a full disk can't be drained any more.
            let since = primary.handover?.since ?? now
            leading?.handover = Primary.Handover(since: since, stalled: true)
        }
        if let handover = primary.handover, now >= handover.since.advanced(byMilliseconds: timings.handoverAfter) {
            // Nothing came of it: go on in this epoch, needing the standby as before. If the claim was won all the
            // same, its first word fences this node.
            leading?.handover = nil
            sessionLost()
        }
    }

    /// Heartbeats.
    mutating func beat() {
        guard peer.linked else { return }
        switch role {
        case .standby(let standby) where standby.follows:
            acknowledge()
            reportStranded()
        case .primary(let primary) where primary.session != nil:
            send(.heartbeat(committed: committed, synced: synced, applied: applied))
            // The route that it went over may have died, and the answer's with it.
            if primary.rounds.sent > primary.rounds.confirmed { send(.confirm(round: primary.rounds.sent)) }
            if let witness = witnessToConsentTo { send(.adopt(witness)) }
        default: sendHello()
        }
    }
}
