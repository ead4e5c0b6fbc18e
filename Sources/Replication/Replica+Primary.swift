import Planted

extension Replica {
    /// The primary's state; nil in another role, where setting it changes nothing.
    var leading: Primary? {
        get { if case .primary(let primary) = role { primary } else { nil } }
        set { if case .primary = role, let newValue { role = .primary(newValue) } }
    }

    /// Rule R5: leads only in an epoch whose claim it won in this life of the process. The whole log counts as
    /// committed; the mark is the epoch's first entry, and the node serves once that is committed. It begins solo: the
    /// claim that it won said so.
    mutating func lead(_ epoch: Epoch, forced: Bool = false) {
        save {
            $0.epoch = max($0.epoch, epoch)
            $0.claimed = max($0.claimed, epoch)
        }
        let mark = Position(epoch, log.last.lsn.next)
        var primary = Primary(epoch: epoch, mark: mark.lsn, floorRaisedAt: now)
        primary.forced = forced
        role = .primary(primary)
        log.append(mark)
        syncProgressAt = now
        emit(.mark(mark, forced: forced))
        commitWhatMay()
    }

    /// A batch of client transactions, executed and not yet committed, asks for its place in the log. Nil: not now; ask
    /// again after the next fact, or give the batch up when the role is lost.
    public mutating func propose() -> Position? {
        guard mayPropose, case .primary(let primary) = role else { return nil }
        let position = Position(primary.epoch, log.last.lsn.next)
        if synced == log.last.lsn { syncProgressAt = now }
        log.append(position)
        return position
    }

    public var mayPropose: Bool {
        guard case .primary(let primary) = role else { return false }
        return primary.serving && primary.handover == nil && (!primary.needsStandby || primary.session != nil)
    }

    /// It answers seats. While it hands over or waits for solo it still is the one to ask.
    public var serves: Bool {
        if case .primary(let primary) = role { primary.serving } else { false }
    }

    /// Paired: what both disks have. Solo: what this one has. Needing a standby that isn't there: nothing more. And
    /// nothing before the epoch is on disk: a restart in the older one might have to cut it off again.
    mutating func commitWhatMay() {
        guard case .primary(let primary) = role, saved.epoch == primary.epoch || planted("commitBeforeTheEpochIsSaved")
        else { return }
        guard primary.needsStandby, !planted("answerBeforeShipping") else { return commit(through: synced) }
        if let session = primary.session { commit(through: min(synced, session.acked)) }
    }

    mutating func commit(through lsn: LSN) {
        if lsn > committed {
            committed = lsn
            emit(.commit(through: lsn))
        }
        guard case .primary(let primary) = role, !primary.serving, committed >= primary.mark else { return }
        leading?.serving = true
        sendHello()
    }

    mutating func acknowledged(_ lsn: LSN, _ applied: LSN, _ reachesWitness: Bool, _ hasRoom: Bool) {
        guard lsn <= log.last.lsn else { return }
        guard var session = leading?.session else { return }
        if !session.follows { emit(.ship(from: session.common.next, session: session.id)) }
        session.follows = true
        if lsn > session.acked || session.acked == log.last.lsn { (session.progressAt, session.workings) = (now, 0) }
        session.acked = max(session.acked, lsn)
        session.applied = max(session.applied, applied)
        (session.reachesWitness, session.hasRoom) = (reachesWitness, hasRoom)
        leading?.session = session
        if session.isCatchingUp, lacking(beyond: session.acked) <= nearlyLevel { require() }
        leading?.acknowledged = Primary.Acknowledged(disk: session.disk, through: session.acked)
        commitWhatMay()
    }

    /// It has not acknowledged more, and is not stuck either: unless it says so for ever.
    mutating func standbyWorks() {
        guard var session = leading?.session, session.workings < Self.workingsForOneStep else { return }
        session.workings += 1
        session.progressAt = now
        leading?.session = session
    }

    /// How often a standby may say that it works before it acknowledges more. The longest entry comes in 65 parts worth
    /// mentioning and reaches the disk in 17, and before it there may be 8 MiB of others, in 64 parts at most.
    static let workingsForOneStep = 160

    /// Rule R3, first part: from here on this primary needs the standby, whatever the register says.
    private mutating func require() {
        guard var session = leading?.session else { return }
        session.isCatchingUp = false
        session.levelAt = committed
        leading?.session = session
        if !planted("joinWithoutRequiring") { leading?.needsStandby = true }
        arbiter.pending?.void = true
        arbiter.consent = nil
    }

    private func lacking(beyond lsn: LSN) -> UInt64 { log.last.lsn.value - lsn.value }

    /// A join. Unless there is much to catch up with before, rule R3 begins.
    mutating func accept(_ join: Join, _ message: Message) {
        guard var current = leading, message.epoch == current.epoch, current.serving else { return }
        // A copy of the join that this session began with, or of an earlier one.
        if let id = current.session?.id, id.process == message.session.process, id.counter >= message.session.counter {
            return
        }
        let common = log.common(with: join.log)
        if let refusal = refusal(of: join, common?.lsn ?? .zero, current) {
            return post(Message(current.epoch, message.session, .joinRefused(refusal)))
        }
        guard let common, common.lsn >= log.base.lsn else {
            return post(Message(current.epoch, message.session, .joinRefused(.reseedNeeded)))
        }
        peer.sessionHeardAt = now
        if current.session != nil { current.losses.append(now) }
        current.handover = nil
        current.lostAt = nil
        current.session = Primary.Session(
            id: message.session, disk: join.disk, starts: join.starts, witness: join.witness, common: common.lsn,
            levelAt: committed, acked: .zero, progressAt: now)
        current.rounds.sent = current.rounds.confirmed
        // Who leads by force has to win the register first, and may find that the standby has won it.
        let isSolo = !current.needsStandby && !lacksRegister
        current.session?.isCatchingUp = isSolo && lacking(beyond: common.lsn) > nearlyLevel
        leading = current
        if current.session?.isCatchingUp == false { require() }
        send(.joinAccepted(common: common))
    }

    private func refusal(of join: Join, _ common: LSN, _ primary: Primary) -> JoinRefusal? {
        if flapDelay(primary) > 0 { return .flapping }
        // It acknowledged more than this in this epoch, or had started more often: the disk has forgotten (rule R11).
        if let held = primary.acknowledged, held.disk == join.disk, min(common, join.synced) < held.through,
            !planted("admitAForgetfulDisk")
        {
            return .diskForgot
        }
        let register = record.register
        if register.disks[name.other] == join.disk, join.starts < register.starts[name.other] { return .diskForgot }
        return nil
    }

    /// Milliseconds until a standby that was lost too often may join: 1, 2, 4 … 10 s from the third loss on.
    func flapDelay(_ primary: Primary) -> UInt64 {
        let recent = primary.losses.filter { $0.advanced(byMilliseconds: timings.flapWindow) > now }
        guard recent.count >= 3, let last = recent.last else { return 0 }
        let delay = min(10_000, UInt64(1000) << UInt64(min(recent.count - 3, 4)))
        let end = last.advanced(byMilliseconds: delay)
        return end > now ? (end.nanoseconds - now.nanoseconds) / 1_000_000 + 1 : 0
    }

    /// The link closed, fell silent, or the standby does not progress. Nothing more commits until solo is won (rule
    /// R1).
    mutating func sessionLost() {
        switch role {
        case .standby(let standby):
            if standby.phase != .idle { becomeIdle() }
        case .primary(var primary):
            guard primary.session != nil else { return }
            arbiter.consent = nil
            primary.session = nil
            if planted("goOnAloneWithoutLeave") { primary.needsStandby = false }
            primary.handover = nil
            // Begun and not carried out: the standby may have consented all the same, and then it has to be begun anew.
            if primary.adoption?.witness != record.witness { primary.adoption = nil }
            primary.lostAt = now
            primary.hearsWitness = false
            primary.losses = primary.losses.filter { $0.advanced(byMilliseconds: timings.flapWindow) > now } + [now]
            primary.rounds.sent = primary.rounds.confirmed
            leading = primary
        case .claiming, .fenced: break
        }
    }

    /// Rule R2: solo was won by this very request, and no join began since.
    mutating func soloWon() {
        leading?.needsStandby = false
        leading?.lostAt = nil
        commitWhatMay()
        confirmAllReads()
    }

    /// Outranked: stop answering at once, then persist what is known, then reread the register (rule R8).
    mutating func fence(by newer: Epoch) {
        role = .fenced
        save { $0.epoch = max($0.epoch, newer) }
        arbiter.pending = nil
        arbiter.readAt = nil
        arbiter.retryAt = nil
    }

    /// Why no failover is possible now; nil when it is.
    public var failoverObstacle: FailoverObstacle? {
        guard case .primary(let primary) = role, primary.serving else { return .notLeading }
        guard let session = primary.session else {
            let delay = flapDelay(primary)
            if delay > 0 { return .flapping(milliseconds: delay) }
            return peer.linked && peer.hello?.full == true ? .standbyFull : .standbyMissing
        }
        if primary.handover != nil { return .handingOver }
        if session.isCatchingUp {
            return .standbyCatchingUp(behind: lacking(beyond: max(session.acked, session.common)))
        }
        if session.acked < session.levelAt {
            return .standbyCatchingUp(behind: session.levelAt.value - session.acked.value)
        }
        if let foreign = foreignWitness { return .foreignWitness(foreign) }
        if witnessIsThere, let refusal = arbiter.refusal { return .witnessRefuses(refusal) }
        if !reachesWitness { return .witnessUnreachable }
        if witnessesDiffer { return .witnessesDiffer }
        if !session.reachesWitness { return .standbyLacksWitness }
        if !session.hasRoom { return .standbyFull }
        return session.settled ? nil : .registerUnsettled
    }
}
