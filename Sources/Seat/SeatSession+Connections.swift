import Replication
import Tickets

extension SeatSession {
    /// One way to a node.
    struct Connection: Equatable, Sendable {
        enum Phase: Equatable, Sendable {
            /// To be dialled again.
            case waiting(until: Instant)
            case dialling
            /// Connected; the node has yet to welcome this seat.
            case greeting
            /// Welcomed: requests may go here.
            case live
        }

        var phase = Phase.waiting(until: Instant(nanoseconds: 0))
        /// When the phase began.
        var since = Instant(nanoseconds: 0)
        /// Nil: not known, or of an epoch that is over.
        var standing: Standing?
        var roundTrip = UsualTime()
        var dialling: Backoff
        /// The last attempt found a peer that did not want this seat, or the other way round.
        var wasRejected = false
        /// So often in a row no welcome came in time.
        var unwelcomed = 0
        /// When it was last lost, and why; of one that never came about, why not.
        var lastLoss: (reason: String, at: Instant)? {
            get { lossReason.isEmpty ? nil : (lossReason, lostAt) }
            set { (lossReason, lostAt) = (newValue?.reason ?? "", newValue?.at ?? Instant(nanoseconds: 0)) }
        }
        private var lossReason = "", lostAt = Instant(nanoseconds: 0)
        /// Only while live.
        var nextBeat = Instant(nanoseconds: 0), lastBeat = Instant(nanoseconds: 0)
        /// Of the beat that was sent last: the only one whose echo is measured.
        var lastStamp: UInt64 = 0
        /// Beats since the node was last heard.
        var unansweredBeats = 0
        var heardAt = Instant(nanoseconds: 0)
        /// Until then a line of 2 Mbit/s is busy with this seat's own long texts, and silence proves nothing.
        var busyUntil = Instant(nanoseconds: 0)
        /// It does not answer beats while something waits for an answer over it: used only where there is no other.
        var isSuspected = false

        init(_ dialling: Backoff) { self.dialling = dialling }
    }

    /// Why there is no connection.
    package enum Loss: Equatable, Sendable {
        /// Nobody listens there.
        case refused
        /// Silence, or cut off while connected or shaking hands.
        case failed
        /// One side did not want the other: wrong name, wrong certificate, not let in.
        case rejected
    }

    package mutating func connected(_ link: Link, at now: Instant) -> [Directive] {
        guard connections[link]?.phase == .dialling else { return [] }
        connections[link]?.phase = .greeting
        connections[link]?.since = now
        wake(by: now.after(milliseconds: connections[link]?.patience(timings) ?? 0))
        return [.send(.hello(highestEpoch), on: link)]
    }

    /// The connection is gone, or never came about.
    /// - Parameter reason: for people; empty: as `loss` says.
    package mutating func disconnected(
        _ link: Link, _ loss: Loss, at now: Instant, because reason: String = ""
    ) -> [Directive] {
        guard var connection = connections[link], !connection.isWaiting else { return [] }
        if connection.phase == .live || connection.lastLoss == nil {
            connection.lastLoss = (reason.isEmpty ? "\(loss)" : reason, now)
        }
        let wasGood = connection.phase == .live && now.since(connection.since) >= timings.goodAfter * 1_000_000
        if wasGood { connection.dialling.reset() }
        var delay: UInt64 = 0
        switch loss {
        case .rejected:
            delay = timings.dialAfterRejection * 1_000_000
        case .refused, .failed:
            let pauses = pauses(without: link)
            if !wasGood || pauses.crowd { delay = connection.dialling.delay(&random, within: pauses.range) }
        }
        connection.wasRejected = loss == .rejected
        if connection.phase == .live { connection.unwelcomed = 0 }
        connection.phase = .waiting(until: now.after(nanoseconds: delay))
        connection.since = now
        connection.standing = nil
        connection.roundTrip = UsualTime()
        connection.isSuspected = false
        connection.busyUntil = Instant(nanoseconds: 0)
        connections[link] = connection
        wake(by: now.after(nanoseconds: delay))
        let orphans = (inspections.removeValue(forKey: link) ?? [])
            .map { Directive.deliver(.failed(.unreachable), to: $0) }
        forgetCopies(on: link)
        return orphans + reachChanged() + retarget(at: now) + dispatch(at: now)
            + (delay == 0 ? tendConnections(at: now) : [])
    }

    /// Between attempts; longer in a crowd, so that the attempts of all together take a part of the nodes' time only.
    private func pauses(without link: Link? = nil) -> (range: ClosedRange<UInt64>, crowd: Bool) {
        let others = order.filter { $0 != link && connections[$0]?.phase == .live }
        guard !others.isEmpty else { return (timings.dialling, crowd: false) }
        let hasLeader = others.contains(where: leads)
        let bounds = hasLeader ? timings.diallingWithLeader : timings.diallingBesides
        let share = hasLeader ? timings.diallingPerConnection : timings.diallingBesidesPerConnection
        let least = max(bounds.lowerBound, UInt64(crowd) * share / 1000)
        return (least...max(bounds.upperBound, least), crowd: least > bounds.lowerBound)
    }

    /// Somebody leads since it was lost, so there is less of a hurry than there was then.
    private mutating func takesTime(_ link: Link, at now: Instant) -> Bool {
        guard var connection = connections[link], !connection.wasRejected else { return false }
        let pauses = pauses().range
        guard now.since(connection.since) < pauses.lowerBound * 500_000 else { return false }
        let until = connection.since.after(nanoseconds: connection.dialling.delay(&random, within: pauses))
        connection.phase = .waiting(until: until)
        connections[link] = connection
        wake(by: until)
        return true
    }

    /// A node has said how many connections seats have to it.
    package mutating func isOne(of connections: UInt32) { if connections > 0 { crowd = min(connections, 10_000) } }

    /// The last connection to the primary is gone: ways that there was no hurry for are tried soon.
    mutating func hurryDialling(at now: Instant) {
        for link in order {
            guard var connection = connections[link], case .waiting(let until) = connection.phase,
                !connection.wasRejected
            else { continue }
            connection.dialling.reset()
            let soon = now.after(nanoseconds: connection.dialling.delay(&random, within: pauses().range))
            guard soon < until else { continue }
            connection.phase = .waiting(until: soon)
            connections[link] = connection
            wake(by: soon)
        }
    }

    mutating func drop(_ link: Link, _ reason: String, at now: Instant) -> [Directive] {
        [.disconnect(link, reason: reason)] + disconnected(link, .failed, at: now, because: reason)
    }

    mutating func beat(_ stamp: UInt64, _ echo: UInt64, on link: Link, at now: Instant) -> [Directive] {
        if echo != 0, echo == connections[link]?.lastStamp {
            connections[link]?.heardEcho(after: now.since(Instant(nanoseconds: echo)))
        }
        let reply: [Directive] = stamp == 0 ? [] : [beatMessage(echo: stamp, on: link)]
        return reply + retarget(at: now)
    }

    /// Beats, greetings that take too long, and ways that are to be dialled again.
    mutating func tendConnections(at now: Instant) -> [Directive] {
        var directives: [Directive] = []
        for link in order {
            guard let connection = connections[link] else { continue }
            switch connection.phase {
            case .waiting(let until) where until <= now:
                guard until == connection.since || !takesTime(link, at: now) else { continue }
                connections[link]?.phase = .dialling
                connections[link]?.since = now
                directives.append(.connect(link))
            case .greeting where connection.since.after(milliseconds: connection.patience(timings)) <= now:
                connections[link]?.unwelcomed += 1
                directives += drop(link, "it sent no welcome", at: now)
            case .live where connection.nextBeat <= now:
                // Brought forward for requests that have had their answers meanwhile.
                let due = connection.lastBeat.after(milliseconds: beatInterval)
                if due > now, connection.unansweredBeats == 0 {
                    connections[link]?.nextBeat = due
                    wake(by: due)
                    continue
                }
                guard connection.unansweredBeats < timings.missedBeats else {
                    directives += drop(link, "it is silent", at: now)
                    continue
                }
                directives.append(beatMessage(stamp: now.nanoseconds, on: link))
                connections[link]?.lastStamp = now.nanoseconds
                connections[link]?.lastBeat = now
                // One that waits behind a long text is not missed yet.
                if connection.busyUntil <= now { connections[link]?.unansweredBeats += 1 }
                let next = now.after(milliseconds: beatInterval)
                connections[link]?.nextBeat = next
                wake(by: next)
            case .waiting, .dialling, .greeting, .live: break
            }
        }
        return directives
    }

    func beatMessage(stamp: UInt64 = 0, echo: UInt64 = 0, on link: Link) -> Directive {
        .send(.beat(stamp: stamp, echo: echo, isStranded: onlyReached == link.node), on: link)
    }

    /// Says at once, to the node that it concerns, that it is the only one that is reached, or no longer.
    mutating func reachChanged() -> [Directive] {
        let live = order.filter { connections[$0]?.phase == .live }
        let reached = Set(live.map(\.node))
        let before = onlyReached
        let others = Set(order.map(\.node)).subtracting(reached)
        onlyReached = reached.count == 1 && !others.isEmpty ? reached.first : nil
        guard onlyReached != before else { return [] }
        return live.filter { $0.node == before || $0.node == onlyReached }.map { beatMessage(on: $0) }
    }

    var beatInterval: UInt64 { isIdle ? timings.idleBeat : timings.busyBeat }

    /// Nothing is under way that ought to be answered soon.
    var isIdle: Bool { unnamed.isEmpty && pending.values.allSatisfy(\.message.isWaiting) }

    /// The first request after a pause: from now on silence counts sooner.
    mutating func hurryBeats(at now: Instant) {
        let soon = now.after(milliseconds: timings.busyBeat)
        for link in order {
            guard let next = connections[link]?.nextBeat, next > soon else { continue }
            connections[link]?.nextBeat = soon
        }
        wake(by: soon)
    }
}

extension SeatSession.Connection {
    var isWaiting: Bool { if case .waiting = phase { true } else { false } }

    mutating func heardEcho(after nanoseconds: UInt64) {
        lastStamp = 0
        roundTrip.add(nanoseconds)
    }

    /// For the welcome.
    func patience(_ timings: SeatTimings) -> UInt64 {
        min(timings.welcomeWithin << min(unwelcomed, 10), timings.welcomeWithinAtMost)
    }

    /// When this connection needs a `tick`, if ever.
    func deadline(_ timings: SeatTimings) -> Instant? {
        switch phase {
        case .waiting(let until): until
        case .dialling: nil
        case .greeting: since.after(milliseconds: patience(timings))
        case .live: nextBeat
        }
    }
}
