import Planted

/// Time: this node's own, and only for when something is done, never for whether it may be.
extension Replica {
    /// Looks at what is due: every 50 ms or so, and whenever the caller likes.
    public mutating func tick() -> [Effect] {
        step {
            $0.watch()
            $0.beat()
        }
    }

    /// The machine's clock shows this: before any other fact. One that has gone back delays no deadline; lost is only
    /// the time between two of its readings.
    public mutating func clock(_ instant: Instant) {
        if instant < reading, planted("waitForTheClock") { return }
        now.nanoseconds += max(instant, reading).nanoseconds - reading.nanoseconds
        reading = instant
    }

    func isDue(_ last: Instant?, every milliseconds: UInt64) -> Bool {
        guard let last else { return true }
        return now >= last.advanced(byMilliseconds: milliseconds)
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
    private mutating func watch() {
        handOverIfFull()
        if let pending = arbiter.pending, now >= pending.since.advanced(byMilliseconds: timings.witnessAnswer) {
            noAnswer()
        }
        // Without the witness, or with a stuck disk, nothing comes of a claim: rather follow again.
        if case .claiming(let claim) = role, !claim.asked,
            now >= claim.since.advanced(byMilliseconds: timings.witnessAnswer)
        {
            becomeIdle()
        }
        guard case .primary(let primary) = role, let session = primary.session else { return }
        let stalled =
            session.acked < log.last.lsn && !diskStalled
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
    private mutating func beat() {
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
