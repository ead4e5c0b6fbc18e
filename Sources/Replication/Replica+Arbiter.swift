import Planted

/// The register, as this node asks for it: one question at a time, and only a won compare-and-set counts (rule R2).
extension Replica {
    /// The connection to the witness is ready. A reboot or another disk of the witness shows in its answers.
    public mutating func witnessConnected() -> [Effect] {
        step {
            $0.noAnswer()
            $0.arbiter.answering = $0.record.witness.id
            $0.arbiter.testified = false
            $0.arbiter.consent = nil
            $0.arbiter.retryAt = nil
        }
    }

    /// Closed, or silent: what was asked is neither won nor lost.
    public mutating func witnessDisconnected() -> [Effect] {
        step {
            $0.arbiter.answering = nil
            $0.noAnswer()
        }
    }

    /// A seat knows of a newer epoch: reason to reread the register, and for nothing else (rule R8).
    public mutating func newerEpochHeard(_ newer: Epoch) -> [Effect] {
        guard newer > epoch, newer > record.register.epoch else { return [] }
        return step { $0.ask(.read) }
    }

    mutating func noAnswer() {
        if planted("noAnswerIsWon"), arbiter.pending?.asked == .solo { soloWon() }
        arbiter.pending = nil
        if case .claiming(let claim) = role, claim.asked { becomeIdle() }
    }

    /// May be asked now, and would not only be told to testify first.
    var arbiterAnswersNow: Bool { arbiterIsFree && arbiter.testified }

    /// Connected. A choice that is still on its way to this disk is not asked before it is there.
    public var witnessIsThere: Bool { arbiter.answering == record.witness.id && record.witness == saved.witness }

    /// Another one is there.
    public var foreignWitness: RandomID? { arbiter.answering == record.witness.id ? nil : arbiter.answering }

    /// The witness has answered lately.
    var reachesWitness: Bool { witnessIsThere && !isDue(arbiter.readAt, every: 3 * timings.reread) }

    private var arbiterIsFree: Bool {
        witnessIsThere && arbiter.pending == nil && arbiter.retryAt.map { $0 <= now } ?? true
    }

    /// A new connection begins with a testimony, whatever is to be asked: a witness whose machine has rebooted can't
    /// do without (rule R12), and says in its answer that it needs more.
    mutating func ask(_ question: ArbiterView.Asked) {
        // A new disk id is on this disk before anybody hears of it (rule R11).
        guard arbiterIsFree, record.disk == saved.disk else { return }
        let asked = arbiter.testified || question == .install ? question : .testimony
        let number = nextNumber()
        arbiter.pending = ArbiterView.Pending(number: number, asked: asked, since: now)
        emit(.ask(RegisterRequest(number: number, action: action(asked))))
    }

    private func action(_ asked: ArbiterView.Asked) -> RegisterRequest.Action {
        var register = record.register
        let version = register.version
        switch asked {
        case .read: return .read
        case .testimony: return .testify(testimony)
        case .install: return .install(registerToInstall)
        case .solo, .paired:
            register.mode = asked == .solo ? .solo : .paired
            // It names this node and its epoch already, unless that was forced.
            (register.epoch, register.primary) = (epoch, name)
            if !planted("neverRaiseTheFloor") { register.floor = max(register.floor, committedPosition) }
            if asked != .solo, case .primary(let primary) = role, let session = primary.session {
                register.disks[name.other] = session.disk
                register.starts[name.other] = session.starts
            }
        case .claim(let number):
            register.epoch = number
            register.primary = name
            register.mode = .solo
            register.floor = max(register.floor, syncedPosition)
        }
        register.disks[name] = record.disk
        register.starts[name] = record.starts
        return .compareAndSet(version: version, register: register)
    }

    var committedPosition: Position { Position(log.epoch(at: committed) ?? .zero, committed) }

    private var testimony: Testimony {
        var leads = false
        if case .primary(let primary) = role {
            leads = !primary.needsStandby || arbiter.consent.map { $0 <= primary.rounds.confirmed } ?? false
        }
        return Testimony(node: name, register: record.register, leads: leads)
    }

    /// A standby that confirms a round which began after the witness's reboot is not claiming, and has not won.
    private mutating func askForConsent() {
        guard arbiter.consent == nil, case .primary(let primary) = role, primary.session != nil else { return }
        arbiter.consent = nextRound()
    }

    public mutating func registerAnswered(_ answer: RegisterAnswer) -> [Effect] {
        step { $0.answered(answer) }
    }

    private mutating func answered(_ answer: RegisterAnswer) {
        guard let pending = arbiter.pending, pending.number == answer.number else { return }
        arbiter.pending = nil
        switch answer.outcome {
        case .refused(let refusal):
            arbiter.refusal = refusal
            if pending.asked == .install { leading?.adoption?.installed = refusal == .alreadyInstalled }
            if pending.asked == .testimony, refusal == .unknownPair { leading?.adoption?.installed = false }
            arbiter.retryAt = now.advanced(byMilliseconds: timings.heartbeat)
            if case .claiming = role { becomeIdle() }
            if refusal == .cautious {
                arbiter.testified = false
                askForConsent()
            }
        case .lost(let register) where planted("takeLostForWon"): if learn(register) { won(pending) }
        case .current(let register), .lost(let register):
            if pending.asked == .testimony { testified() }
            if learn(register), case .claiming(let claim) = role, claim.asked { becomeIdle() }
        case .won(let register):
            if learn(register) { won(pending) }
        }
    }

    private mutating func testified() {
        arbiter.testified = true
        // The register is there: the move is over.
        if saved.witness == leading?.adoption?.witness { leading?.adoption = nil }
    }

    /// False: the register is older than one that this node has seen; nothing may rest on it (rule R12).
    private mutating func learn(_ register: Register) -> Bool {
        guard register.version >= record.register.version || planted("actOnAnOlderRegister") else {
            arbiter.refusal = .cautious
            arbiter.testified = false
            arbiter.retryAt = now.advanced(byMilliseconds: timings.reread)
            if case .claiming = role { becomeIdle() }
            return false
        }
        arbiter.refusal = nil
        arbiter.readAt = now
        leading?.hearsWitness = true
        // The register remembers more starts, or a claim of this node's that it doesn't: the disk was put back, and is
        // a new one (rule R11).
        let putBack =
            register.starts[name] > record.starts
            || register.epoch.owner == name && register.epoch > max(record.claimed, record.epoch)
        let disk = putBack && !planted("keepThePutBackDisksId") ? spareDisk : record.disk
        save {
            $0.register = register
            $0.disk = disk
        }
        switch role {
        case .primary(let primary):
            if register.epoch > primary.epoch || register.primary != name && !primary.forced {
                fence(by: register.epoch)
            } else if register.mode == .solo {
                // Asked for before this session, and arrived after its promise, which has to be won anew.
                leading?.session?.settled = false
                if planted("readingSoloIsLeave") { soloWon() }
            }
        case .claiming(var claim):
            claim.registerRead = true
            role = .claiming(claim)
        case .fenced: becomeIdle()
        case .standby where planted("goOnAfterAnEarlierLife"):
            if register.primary == name, register.mode == .solo { lead(register.epoch) }
        case .standby: if putBack { becomeIdle() }
        }
        return true
    }

    private mutating func won(_ pending: ArbiterView.Pending) {
        let instant = now
        switch (role, pending.asked) {
        case (.claiming(let claim), .claim(let number)):
            if claim.number == number { lead(number) }
        case (.primary, .install): testified()
        case (.primary(let primary), .solo):
            if planted("wonDespiteAJoin") || !pending.void && primary.session == nil { soloWon() }
        case (.primary(let primary), .paired(let session)):
            guard !pending.void, primary.session?.id == session else { return }
            leading?.session?.settled = true
            leading?.forced = false
            leading?.floorRaisedAt = instant
        default: break
        }
    }
}
