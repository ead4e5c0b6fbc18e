import Planted
import Replication
import Tickets

// Who leads, as far as this seat knows.
extension SeatSession {
    struct Leadership: Equatable, Sendable {
        var node: NodeName
        var epoch: Epoch
    }

    mutating func welcome(_ pair: RandomID, _ standing: Standing, on link: Link, at now: Instant) -> [Directive] {
        var directives: [Directive] = []
        if let known = self.pair, known != pair { directives = forget() }
        if self.pair != pair {
            self.pair = pair
            directives.append(.remember(SeatMemory(pair: pair.description, epoch: highestEpoch.value)))
        }
        if var connection = connections[link] {
            // The hello and the welcome are a round trip too, and the first to be known.
            connection.roundTrip.add(now.since(connection.since))
            connection.phase = .live
            (connection.since, connection.lastBeat) = (now, now)
            connection.nextBeat = now.after(milliseconds: beatInterval)
            connections[link] = connection
        }
        wake(by: now.after(milliseconds: beatInterval))
        // One that is new there says of itself too that it is the only one.
        let reach = reachChanged()
        let stranded = onlyReached == link.node && reach.isEmpty ? [beatMessage(on: link)] : []
        return directives + reach + stranded + stand(standing, of: link, at: now)
    }

    mutating func stand(_ standing: Standing, of link: Link, at now: Instant) -> [Directive] {
        var directives: [Directive] = []
        // All ways lead to one process: what one connection hears counts for them all.
        for other in order where other.node == link.node {
            guard let connection = connections[other], connection.phase == .live else { continue }
            // A way that is slower than the others brings old news.
            if let known = connection.standing, known.epoch > standing.epoch { continue }
            connections[other]?.standing = standing
        }
        if standing.epoch > highestEpoch {
            highestEpoch = standing.epoch
            if let pair { directives.append(.remember(SeatMemory(pair: pair.description, epoch: highestEpoch.value))) }
        }
        directives += retarget(at: now)
        // A standby may be there now.
        let waits = pending.values.contains { $0.on == nil && $0.message.readLevel ?? .latest != .latest }
        return waits ? directives + dispatch(at: now) : directives
    }

    /// Chooses anew where requests go, and sends them there if that is a new leader.
    mutating func retarget(at now: Instant) -> [Directive] {
        let best = bestLink()
        let leadership = best.map { Leadership(node: $0.node, epoch: highestEpoch) }
        let found = target == nil && best != nil, lost = target != nil && best == nil
        target = best
        if lost { hurryDialling(at: now) }
        guard let leadership else { return [] }
        guard leadership != aim else {
            guard found else { return [] }
            wake(by: now)
            return dispatch(at: now)
        }
        aim = leadership
        return dispatch(at: now, everything: true)
    }

    /// A route is left for a faster one only when that is faster by a third: round trips vary by themselves.
    private func bestLink() -> Link? {
        let leading = unsuspected(order.filter { leads($0) })
        guard let fastest = leading.min(by: { roundTrip($0) < roundTrip($1) }) else { return nil }
        guard let target, leading.contains(target) else { return fastest }
        return roundTrip(fastest) * 3 < roundTrip(target) * 2 ? fastest : target
    }

    func leads(_ link: Link) -> Bool {
        guard let connection = connections[link], connection.phase == .live else { return false }
        if planted("trustAnOlderEpoch"), connection.standing?.role == .primary { return true }
        return connection.standing == Standing(.primary, highestEpoch)
    }

    private func roundTrip(_ link: Link) -> UInt64 { connections[link]?.roundTrip.smoothed ?? 0 }

    /// Another pair answers under the known one's name: its epochs, sessions and names mean nothing any more.
    private mutating func forget() -> [Directive] {
        highestEpoch = .zero
        aim = nil
        session = nil
        unresolved = []
        for link in order { connections[link]?.standing = nil }
        let stale = pending.filter { if case .read = $0.key { false } else { true } }
        for key in stale.keys { pending[key] = nil }
        return stale.sorted { $0.value.ordinal < $1.value.ordinal }.compactMap { key, item in
            item.call.map { .deliver(.failed(item.failure(key)), to: $0) }
        }
    }
}
