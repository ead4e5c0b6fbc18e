import Planted

extension Replica {
    mutating func standby(_ phase: Standby.Phase, fetchedAt: Instant? = nil) {
        var standby = Standby(since: now)
        if case .standby(let before) = role {
            standby.refusal = before.refusal
            standby.fetchedAt = fetchedAt ?? before.fetchedAt
        }
        standby.phase = phase
        role = .standby(standby)
    }

    /// A cut under way is waited for, whatever becomes of its session: until then the log ends nobody knows where.
    mutating func becomeIdle() {
        if case .standby(let standby) = role, case .cutting(_, let lsn) = standby.phase {
            self.standby(.cutting(.none, to: lsn))
        } else {
            standby(.idle)
        }
    }

    /// A leader is there: adopt its epoch on disk (rule R7), then join it. Not one of an epoch below this log's: the
    /// mark there says that a newer one was won, perhaps by this node just before it ended. A claim of its may still be
    /// on its way, with a floor that this log would no longer hold, were it cut now.
    mutating func joinIfLed() {
        let idle: Bool
        switch role {
        case .standby(let standby): idle = standby.phase == .idle || standby.phase == .fetching
        case .fenced: idle = true
        case .claiming, .primary: return
        }
        guard idle, isFit, let hello = peer.hello, hello.leads, peer.linked, !peerSilent, peer.epoch >= record.epoch,
            peer.epoch >= record.register.epoch, peer.epoch >= log.last.epoch || planted("joinAnOlderLeader"),
            saved.disk == record.disk
        else { return }
        if case .standby(let standby) = role, standby.refusal != nil,
            now < standby.since.advanced(byMilliseconds: 2 * timings.heartbeat)
        {
            return
        }
        arbiter.pending = nil
        let newer = peer.epoch
        standby(.adopting(newer))
        save { $0.epoch = newer }
    }

    /// The epoch is on disk: now something may be sent in it. But not while the log is not: the primary would need
    /// this node from the join on, and wait once more for a disk that is stuck.
    mutating func joinWhenAdopted() {
        guard case .standby(let standby) = role, case .adopting(let epoch) = standby.phase,
            saved.epoch == epoch || planted("speakBeforeTheEpochIsSaved"),
            synced == log.last.lsn || planted("joinWithADiskBehind")
        else { return }
        let session = nextNumber()
        self.standby(.joining(session))
        let join = Join(
            log: log, synced: synced, disk: record.disk, starts: record.starts, witness: record.witness)
        post(Message(epoch, session, .join(join)))
    }

    /// Rule R10: rejoining is cutting the log's tail, never below what the database holds.
    mutating func joined(at common: Position, in session: UniqueNumber) {
        guard log.epoch(at: common.lsn) == common.epoch else { return emit(.halt(.noCommonPosition)) }
        guard common.lsn < log.last.lsn, !planted("keepTheDivergedTail") else { return startFollowing(session) }
        guard common.lsn >= committed || planted("cutWhatIsApplied") else {
            return emit(.halt(.cutBelowApplied(common: common, applied: committed)))
        }
        standby(.cutting(session, to: common.lsn))
        emit(.cut(to: common.lsn))
    }

    /// The tail is off the disk.
    public mutating func logCut(to lsn: LSN) -> [Effect] {
        step {
            $0.log.cut(to: lsn)
            $0.synced = min($0.synced, lsn)
            guard case .standby(let standby) = $0.role, case .cutting(let session, to: lsn) = standby.phase
            else { return }
            if session == .none { $0.standby(.idle) } else { $0.startFollowing(session) }
        }
    }

    private mutating func startFollowing(_ session: UniqueNumber) {
        role = .standby(Standby(since: now))
        standby(.following(session))
        peer.sessionHeardAt = now
        acknowledge()
    }

    mutating func joinRefused(_ refusal: JoinRefusal, _ message: Message) {
        guard case .standby(let standby) = role, standby.phase == .joining(message.session) else { return }
        var idle = Standby(since: now)
        idle.refusal = refusal
        role = .standby(idle)
        let spare = spareDisk
        switch refusal {
        case .diskForgot: save { $0.disk = spare }
        case .reseedNeeded: emit(.reseed)
        case .flapping: break
        }
    }

    /// Entries of this session follow each other; what is here already came twice, over two routes.
    mutating func follow(_ run: Run, _ primaryCommitted: LSN) {
        if let new = run.after(log.last.lsn) {
            guard new.first == log.last.lsn.next, new.epochsFollow(log.last.epoch) else { return }
            extend(by: new)
            emit(.append(new))
        }
        commit(through: planted("applyUncommitted") ? synced : min(primaryCommitted, synced))
    }

    /// The entries are about to be appended to the log.
    mutating func extend(by run: Run) {
        if synced == log.last.lsn { syncProgressAt = now }
        for (index, start) in run.starts.enumerated() {
            let end = index + 1 < run.starts.count ? run.starts[index + 1].lsn.value : run.last.lsn.value + 1
            for lsn in start.lsn.value..<end { log.append(Position(start.epoch, LSN(lsn))) }
        }
    }

    mutating func acknowledge() {
        guard case .standby(let standby) = role, standby.follows else { return }
        let synced = planted("acknowledgeBeforeSync") ? log.last.lsn : synced
        send(.acknowledge(synced: synced, applied: applied, reachesWitness: reachesWitness, hasRoom: isFit))
    }
}

extension Run {
    /// A log's epochs never go back.
    func epochsFollow(_ epoch: Epoch) -> Bool { starts.allSatisfy { $0.epoch >= epoch } }

    /// What of it comes after this LSN; nil when nothing does.
    func after(_ lsn: LSN) -> Run? {
        guard last.lsn > lsn else { return nil }
        guard let begin = starts.lastIndex(where: { $0.lsn <= lsn.next }) else { return self }
        let head = Position(starts[begin].epoch, max(starts[begin].lsn, lsn.next))
        return Run(starts: [head] + starts[(begin + 1)...], last: last)
    }
}
