import Planted

/// Rule R12: the witness was lost, wiped or replaced, and the leader moves the pair's register to another one.
///
/// The standby consents first, unless this primary has won solo: it writes the new choice to its disk and never asks
/// the old witness again. Then this node does the same, and installs the register there. So no moment comes in which
/// one node could win at the old witness what the other doesn't hear of at the new.
extension Replica {
    public enum AdoptionObstacle: Equatable, Sendable {
        case notLeading
        case handingOver
        /// It needs the standby, whose consent it can't have.
        case standbyMissing
        /// The witness at the node's address is another one, or none.
        case notConnected(to: RandomID, found: RandomID?)
        /// The pair's register lives there already.
        case alreadyAdopted
    }

    /// Where the witness is expected another one answers. Nothing is asked of it until a person has it adopted.
    public mutating func foreignWitnessConnected(_ id: RandomID) -> [Effect] {
        step {
            $0.arbiter.answering = id
            $0.noAnswer()
        }
    }

    /// Nil: begun. Else the reason why not, and nothing has changed.
    public mutating func adoptWitness(_ id: RandomID) -> (obstacle: AdoptionObstacle?, effects: [Effect]) {
        if let obstacle = obstacleToAdopting(id) { return (obstacle, []) }
        return (nil, step { $0.beginAdopting(id) })
    }

    private func obstacleToAdopting(_ id: RandomID) -> AdoptionObstacle? {
        guard case .primary(let primary) = role, primary.serving else { return .notLeading }
        if primary.handover != nil { return .handingOver }
        guard arbiter.answering == id else { return .notConnected(to: id, found: arbiter.answering) }
        // Its own once more, where a move ended half way: the register never came there, or the standby went elsewhere.
        if witnessIsThere, arbiter.refusal == nil, !witnessesDiffer { return .alreadyAdopted }
        return primary.needsStandby && primary.session?.follows != true ? .standbyMissing : nil
    }

    private mutating func beginAdopting(_ id: RandomID) {
        guard case .primary(let primary) = role, !isUnderWay(id, primary) else { return }
        let known = max(record.witness.number, primary.session?.witness.number ?? 0, primary.adoptions)
        let witness = WitnessChoice(id, number: known + 1)
        let adoption = Primary.Adoption(witness: witness, version: record.register.version)
        leading?.adoption = adoption
        leading?.adoptions = witness.number
        if primary.needsStandby, !planted("adoptWithoutConsent") { send(.adopt(witness)) } else { choose(witness) }
    }

    /// Nothing stands in its way but time.
    private func isUnderWay(_ id: RandomID, _ primary: Primary) -> Bool {
        guard let witness = primary.adoption?.witness, witness.id == id else { return false }
        guard let session = primary.session else { return witness == record.witness }
        return session.witness == witness || session.witness.number < witness.number
    }

    /// From here on the witness before is never asked again.
    private mutating func choose(_ witness: WitnessChoice) {
        noAnswer()
        save { $0.witness = witness }
    }

    /// The standby goes by another witness, and this one is not the newer choice.
    var witnessesDiffer: Bool {
        guard case .primary(let primary) = role, let session = primary.session else { return false }
        return session.witness != record.witness && session.witness.number >= record.witness.number
    }

    /// What the standby is to consent to, if anything; asked for at each heartbeat until it has.
    var witnessToConsentTo: WitnessChoice? {
        guard case .primary(let primary) = role, let session = primary.session, session.follows else { return nil }
        let witness = primary.adoption?.witness ?? record.witness
        return session.witness.number < witness.number ? witness : nil
    }

    /// The standby's part. It knows of no newer epoch than the one that asks, or it would be claiming its own.
    mutating func consent(to witness: WitnessChoice) {
        if witness == saved.witness { return sayAdopted() }
        guard witness.number > record.witness.number, record.register.epoch <= epoch else { return }
        choose(witness)
    }

    private mutating func sayAdopted() {
        send(.adopted(saved.witness, registerVersion: record.register.version))
    }

    mutating func adopted(_ witness: WitnessChoice, _ registerVersion: UInt64) {
        guard case .primary(let primary) = role, primary.session != nil else { return }
        leading?.session?.witness = witness
        guard var adoption = primary.adoption, adoption.witness == witness else { return }
        adoption.version = max(adoption.version, registerVersion)
        leading?.adoption = adoption
        leading?.session?.settled = false
        if record.witness != witness { choose(witness) }
    }

    /// The choice is on this disk: now the new witness may be asked, and the primary told.
    mutating func witnessChosen() {
        guard saved.witness == record.witness else { return }
        arbiter.testified = false
        arbiter.refusal = nil
        arbiter.retryAt = nil
        if case .standby(let standby) = role, standby.follows { sayAdopted() }
    }

    /// The primary has moved to a witness that has no register yet.
    var installs: Bool {
        guard case .primary(let primary) = role, let adoption = primary.adoption else { return false }
        return saved.witness == adoption.witness && !adoption.installed
    }

    /// What the new witness begins with: the highest version that either node knows, and one more.
    var registerToInstall: Register {
        var register = record.register
        guard case .primary(let primary) = role else { return register }
        register.version = max(register.version, primary.adoption?.version ?? 0) + 1
        register.epoch = primary.epoch
        register.primary = name
        register.mode = primary.needsStandby ? .paired : .solo
        register.floor = committedPosition
        if let session = primary.session {
            register.disks[name.other] = session.disk
            register.starts[name.other] = session.starts
        }
        return register
    }
}
