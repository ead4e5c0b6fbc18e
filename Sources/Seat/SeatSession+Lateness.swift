import Replication
import Tickets

// Answers that do not come: is the node slow, or is the way to it gone?
extension SeatSession {
    /// Half way to being late, the connection is beaten: a node that is only slow with this answer echoes at once, so
    /// by the time the answer is late it is known which of both it is.
    mutating func attendToWhatIsLate(at now: Instant) -> [Directive] { probe(at: now) + askAgain(at: now) }

    private mutating func probe(at now: Instant) -> [Directive] {
        var silent: Set<Link> = []
        for (key, item) in pending {
            guard let due = item.probeAt, due <= now, let link = item.on else { continue }
            pending[key]?.probeAt = nil
            if let late = item.lateAt { wake(by: late) }
            if isSilent(link, since: item.sentAt) { silent.insert(link) }
        }
        return order.filter { silent.contains($0) }.map { link in
            connections[link]?.lastStamp = now.nanoseconds
            return beatMessage(stamp: now.nanoseconds, on: link)
        }
    }

    /// Nothing at all came over it.
    private func isSilent(_ link: Link, since instant: Instant) -> Bool {
        connections[link].map { $0.heardAt <= instant } ?? true
    }

    private mutating func askAgain(at now: Instant) -> [Directive] {
        var directives: [Directive] = []
        let late = pending.filter { ($0.value.lateAt.map { $0 <= now } ?? false) && $0.value.on != nil }
        for (key, item) in late.sorted(by: { $0.value.ordinal < $1.value.ordinal }) {
            pending[key]?.lateAt = nil
            // Moved meanwhile, with all that was under way there.
            guard let link = pending[key]?.on, link == item.on else { continue }
            if isSilent(link, since: item.sentAt) {
                directives += isBusy(link, at: now) ? passBy(key, at: now) : suspect(link, at: now)
            } else if !item.message.maySlack {
                directives += sendExtraCopy(key, at: now)
            }
        }
        return directives
    }

    /// It carries a long text of this seat's own: its silence proves nothing.
    private func isBusy(_ link: Link, at now: Instant) -> Bool { connections[link].map { $0.busyUntil > now } ?? false }

    /// Something short need not wait behind the long text; what is long itself, or may take its time, does.
    private mutating func passBy(_ key: Key, at now: Instant) -> [Directive] {
        guard let item = pending[key], let link = item.on else { return [] }
        let free = order.filter { leads($0) && !isBusy($0, at: now) && connections[$0]?.isSuspected == false }
        guard item.message.transferTime == 0, !item.message.maySlack, leads(link), let other = free.first else {
            let until = connections[link]?.busyUntil ?? now
            pending[key]?.lateAt = until
            wake(by: until)
            return []
        }
        return [transmit(key, on: other, at: now)].compactMap { $0 }
    }

    /// All that is under way there goes over another connection at once, and so does what comes. It stays open, and is
    /// used again when something is heard over it.
    private mutating func suspect(_ link: Link, at now: Instant) -> [Directive] {
        guard connections[link]?.isSuspected == false else { return [] }
        connections[link]?.isSuspected = true
        // A node that is silent everywhere is asked over one way as well as over another.
        let hasOther = order.contains { leads($0) && connections[$0]?.isSuspected == false }
        var directives = hasOther ? retarget(at: now) : []
        let there = pending.filter { $0.value.on == link }.sorted { $0.value.ordinal < $1.value.ordinal }
        for (key, item) in there {
            guard let other = destination(of: item), connections[other]?.isSuspected == false else { continue }
            directives += [transmit(key, on: other, at: now)].compactMap { $0 }
        }
        return directives
    }

    /// A second copy, over another route of the node that has the first: it is there, so only the way may be slow.
    private mutating func sendExtraCopy(_ key: Key, at now: Instant) -> [Directive] {
        guard let item = pending[key], mayAffordExtraCopy(at: now),
            let other = unsuspected(
                order.filter { $0.node == item.on?.node && $0 != item.on && leads($0) && !isBusy($0, at: now) }
            ).first
        else { return [] }
        credit = max(0, credit - timings.requestsPerExtraCopy)
        extraSentAt = now
        pending[key]?.extra = other
        pending[key]?.copies += 1
        return [.send(stamped(item.message), on: other)]
    }

    /// Every seat has one in hand, however little it asks for.
    private func mayAffordExtraCopy(at now: Instant) -> Bool {
        guard credit < timings.requestsPerExtraCopy, let last = extraSentAt else { return true }
        return now.since(last) >= timings.oneExtraCopyEach * 1_000_000
    }

    /// Those of these that are not suspected; all, if there is none.
    func unsuspected(_ links: [Link]) -> [Link] {
        let good = links.filter { connections[$0]?.isSuspected == false }
        return good.isEmpty ? links : good
    }
}
