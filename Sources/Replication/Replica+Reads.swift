import Planted

/// Rule R9: reads without clocks. A read waits for a numbered round to the standby that began after it came in.
extension Replica {
    /// What a read that has just come in waits for.
    public enum ReadWait: Equatable, Sendable {
        /// Answer once the database holds everything committed by now.
        case none
        /// The same, after `confirmReads` of this round.
        case round(UInt64)
    }

    /// Nil: this node doesn't serve, and reads must be asked elsewhere or later.
    public mutating func read() -> (wait: ReadWait, effects: [Effect])? {
        guard case .primary(let primary) = role, primary.serving, primary.handover == nil else { return nil }
        // From solo nobody else can claim.
        guard primary.needsStandby, !planted("readWithoutARound") else { return (.none, []) }
        return (.round(nextRound()), takeEffects())
    }

    /// The first round that begins after now; it is on its way, or will be as soon as the one before it is back.
    mutating func nextRound() -> UInt64 {
        guard case .primary(var primary) = role else { return 0 }
        var round = max(primary.rounds.sent, primary.rounds.confirmed) + 1
        if planted("readJoinsTheRoundUnderWay") { round = max(primary.rounds.sent, primary.rounds.confirmed + 1) }
        primary.rounds.wanted = max(primary.rounds.wanted, round)
        role = .primary(primary)
        sendRound()
        return round
    }

    /// One round at a time; whoever waits when it is back shares the next.
    mutating func sendRound() {
        guard case .primary(var primary) = role, primary.session?.follows == true,
            primary.rounds.sent == primary.rounds.confirmed, primary.rounds.wanted > primary.rounds.confirmed
        else { return }
        primary.rounds.sent = primary.rounds.confirmed + 1
        role = .primary(primary)
        send(.confirm(round: primary.rounds.sent))
    }

    mutating func confirmed(_ round: UInt64) {
        let round = planted("anyRoundConfirms") ? leading?.rounds.sent ?? round : round
        guard case .primary(var primary) = role, round == primary.rounds.sent, round > primary.rounds.confirmed
        else { return }
        primary.rounds.confirmed = round
        role = .primary(primary)
        emit(.confirmReads(through: round))
        sendRound()
    }

    /// Solo was won: nobody else can claim, so all reads that wait may go.
    mutating func confirmAllReads() {
        guard case .primary(var primary) = role, primary.rounds.wanted > primary.rounds.confirmed else { return }
        primary.rounds.confirmed = primary.rounds.wanted
        primary.rounds.sent = primary.rounds.wanted
        role = .primary(primary)
        emit(.confirmReads(through: primary.rounds.confirmed))
    }
}
