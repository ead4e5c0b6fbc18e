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
}
