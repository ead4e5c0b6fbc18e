import Planted

/// Rules R4 and R6: who may claim, and when.
extension Replica {
    /// Stops acknowledging and confirming; the number goes to disk before it goes to the witness.
    mutating func startClaim() {
        guard case .standby = role else { return }
        let claimed = planted("claimANumberAgain") ? .zero : record.claimed
        let number = name.epoch(above: max(record.epoch, claimed, record.register.epoch, log.last.epoch))
        role = .claiming(Claim(number: number, since: now))
        arbiter.pending = nil
        save { $0.claimed = number }
    }

    /// Once the number is saved and the register read since, asks for the epoch, at the version read.
    mutating func pursueClaim() {
        guard case .claiming(var claim) = role else { return }
        guard claim.registerRead, arbiter.testified else { return ask(.read) }
        guard !claim.asked, saved.claimed == claim.number || planted("claimBeforeTheNumberIsSaved"), arbiterAnswersNow
        else { return }
        guard obstacleToClaim == nil else { return becomeIdle() }
        guard claim.number > record.register.epoch else { return becomeIdle() }
        claim.asked = true
        role = .claiming(claim)
        ask(.claim(claim.number))
    }

    public enum ClaimObstacle: Equatable, Sendable {
        case unknownDisk
        case behindFloor(Position)
        case otherIsAhead(Position)
        case otherLeadsSolo
        case otherEpoch(Epoch)
        case epochWentBack(Epoch)
        case diskForgot
    }

    /// What the register, as last read, has against this node's claiming.
    public var obstacleToClaim: ClaimObstacle? {
        let register = record.register
        guard register.starts[name] <= record.starts else { return .diskForgot }
        guard register.disks[name] == record.disk || planted("claimOnAnUnknownDisk") else { return .unknownDisk }
        guard register.floor <= syncedPosition || planted("claimBelowTheFloor") else {
            return .behindFloor(register.floor)
        }
        // A node that was asked and is further: its entries come first (rule R6).
        if peer.linked, !peerSilent, let hello = peer.hello, !hello.leads, hello.synced > syncedPosition {
            return .otherIsAhead(hello.synced)
        }
        if register.primary == name { return register.epoch >= record.epoch ? nil : .epochWentBack(register.epoch) }
        guard register.mode == .paired || planted("claimWhileTheOtherIsSolo") else { return .otherLeadsSolo }
        return register.epoch == record.epoch || planted("claimFromAnotherEpoch") ? nil : .otherEpoch(register.epoch)
    }

    /// How a loss is noticed: refused on every route means dead now; silence means dead after `suspectAfter`; one that
    /// answers without leading is asked what it has, and the register says whose turn it is. A primary that is heard,
    /// but neither keeps up the session nor answers a join, may be one that hears nobody: it can't lead either. And a
    /// standby that hears nobody must not go on acknowledging: it answers no round of reads.
    mutating func claimIfDue() {
        guard case .standby(let standby) = role else { return }
        let waited = now >= standby.since.advanced(byMilliseconds: 2 * timings.suspectAfter)
        switch standby.phase {
        case .idle: break
        case .following:
            if sessionSilent, !planted("anyWordKeepsTheSession") { return leave() }
        case .joining:
            guard waited else { return }
            return planted("joinForEver") ? becomeIdle() : leave()
        case .fetching, .adopting, .cutting:
            if waited { becomeIdle() }
            return
        }
        if (!peer.linked && peer.refused) || peerSilent { return claimIfPromising() }
        guard standby.phase == .idle, peer.linked, let hello = peer.hello, !hello.leads else { return }
        if record.register.primary == name, arbiter.readAt != nil {
            if hello.synced > log.last {
                // One that brought nothing is not repeated at once.
                if isDue(standby.fetchedAt, every: timings.suspectAfter) { fetch() }
                return
            }
            claimIfPromising()
        } else if waited {
            claimIfPromising()
        }
    }

    /// Nothing comes of this primary: claims, or joins it anew where the register is against that.
    private mutating func leave() {
        becomeIdle()
        claimIfPromising()
    }

    /// Reads the register first where it stands in the way, so that no number is spent on a hopeless claim.
    private mutating func claimIfPromising() {
        guard witnessIsThere, arbiter.retryAt.map({ $0 <= now }) ?? true, saved.claimed == record.claimed
        else { return }
        guard arbiter.testified else { return }
        if let readAt = arbiter.readAt, obstacleToClaim != nil {
            if now >= readAt.advanced(byMilliseconds: timings.heartbeat) { ask(.read) }
            return
        }
        startClaim()
    }

    private mutating func fetch() {
        standby(.fetching, fetchedAt: now)
        send(.fetch(log))
    }

    /// The other node is named by the register and lacks entries that this one has.
    mutating func lend(_ theirs: EpochTable) {
        guard case .standby = role, let common = log.common(with: theirs), common.lsn >= log.base.lsn else { return }
        emit(.lend(after: common))
    }

    /// They continue this node's own log, or count for nothing: a run that begins lower is that of a log which parted
    /// from this one before its end.
    mutating func take(_ run: Run, last: Position) {
        guard case .standby(let standby) = role, standby.phase == .fetching else { return }
        becomeIdle()
        guard !run.isEmpty, run.first == log.last.lsn.next,
            run.epochsFollow(log.last.epoch)
        else { return }
        if case .standby(var standby) = role {
            standby.fetchedAt = nil
            role = .standby(standby)
        }
        extend(by: run)
        emit(.append(run))
    }
}
