import Planted
import Replication
import Tickets
import Wire

// What callers ask, and how it goes out.
extension SeatSession {
    package mutating func perform(
        _ command: Command, for call: Call, by deadline: Instant, at now: Instant
    ) -> [Directive] { perform(.command(command), for: call, by: deadline, at: now) }

    package mutating func perform(
        _ body: SeatRequest.Body, for call: Call, by deadline: Instant, at now: Instant
    ) -> [Directive] {
        begin(by: deadline, at: now)
        let unnamed = Unnamed(body: body, call: call, deadline: deadline, ordinal: ordinal())
        guard session != nil else {
            self.unnamed.append(unnamed)
            return openSession(at: now)
        }
        return name(unnamed, at: now)
    }

    /// Asks again for what became of a request whose outcome is unknown. The command must be the same as then.
    package mutating func perform(
        _ command: Command, again name: RequestName, for call: Call, by deadline: Instant, at now: Instant
    ) -> [Directive] { perform(.command(command), again: name, for: call, by: deadline, at: now) }

    package mutating func perform(
        _ body: SeatRequest.Body, again name: RequestName, for call: Call, by deadline: Instant, at now: Instant
    ) -> [Directive] {
        begin(by: deadline, at: now)
        guard pending[.request(name)] == nil else { return [.deliver(.failed(.unknown(name)), to: call)] }
        var item = pendingRequest(body, name, for: call, by: deadline, ordinal: ordinal())
        // Whoever asks again may have sent it before, also in an earlier life.
        item.copies = 1
        return enter(item, as: .request(name), at: now)
    }

    package mutating func ask(
        _ query: Query, level: SeatRead.Level = .latest, for call: Call, by deadline: Instant, at now: Instant
    ) -> [Directive] {
        begin(by: deadline, at: now)
        defer { nextRead += 1 }
        let message = ToNode.read(SeatRead(number: nextRead, level: level, query: query))
        let item = Pending(message, for: call, by: deadline, ordinal: ordinal(), retries: retries)
        return enter(item, as: .read(nextRead), at: now)
    }

    /// `status` or `switchover`: to this very node, now or not at all.
    package mutating func inspect(_ node: NodeName, _ message: ToNode, for call: Call) -> [Directive] {
        guard let link = order.first(where: { $0.node == node && connections[$0]?.phase == .live }) else {
            return [.deliver(.failed(.unreachable), to: call)]
        }
        inspections[link, default: []].append(call)
        return [.send(message, on: link)]
    }

    mutating func openSession(at now: Instant) -> [Directive] {
        let isOpening = pending.keys.contains { if case .opening = $0 { true } else { false } }
        guard !isOpening else { return [] }
        let number = random.next() >> 32
        let request = SeatRequest(session: 0, sequence: number, answeredBelow: 0, body: .openSession)
        let never = Instant(nanoseconds: .max)
        let item = Pending(.request(request), for: nil, by: never, ordinal: ordinal(), retries: retries)
        return enter(item, as: .opening(number), at: now)
    }

    mutating func name(_ unnamed: Unnamed, at now: Instant) -> [Directive] {
        let name = takeName()
        guard let body = unnamed.body else { return [.deliver(.named(name), to: unnamed.call)] }
        let item = pendingRequest(body, name, for: unnamed.call, by: unnamed.deadline, ordinal: unnamed.ordinal)
        return enter(item, as: .request(name), at: now)
    }

    /// The next one of the session.
    mutating func takeName() -> RequestName {
        let name = RequestName(session: session ?? 0, sequence: nextSequence)
        nextSequence += 1
        unresolved.append(name.sequence)
        giveUpOldest()
        return name
    }

    mutating func enterKept(
        _ body: SeatRequest.Body, _ name: RequestName, for call: Call, by deadline: Instant, at now: Instant
    ) -> [Directive] {
        begin(by: deadline, at: now)
        var item = pendingRequest(body, name, for: call, by: deadline, ordinal: ordinal())
        item.keepsName = true
        return enter(item, as: .request(name), at: now)
    }

    private func pendingRequest(
        _ body: SeatRequest.Body, _ name: RequestName, for call: Call, by deadline: Instant, ordinal: UInt64
    ) -> Pending {
        let request = SeatRequest(
            session: name.session, sequence: UInt64(clamping: name.sequence), answeredBelow: 0, body: body)
        return Pending(.request(request), for: call, by: deadline, ordinal: ordinal, retries: retries)
    }

    private mutating func enter(_ item: Pending, as key: Key, at now: Instant) -> [Directive] {
        pending[key] = item
        return sendNow(key, at: now)
    }

    /// If there is somebody who may answer it.
    mutating func sendNow(_ key: Key, at now: Instant) -> [Directive] {
        guard let item = pending[key], let link = destination(of: item) else { return [] }
        return [transmit(key, on: link, at: now)].compactMap { $0 }
    }

    /// Sends a copy that replaces those before.
    mutating func transmit(_ key: Key, on link: Link, at now: Instant) -> Directive? {
        guard var item = pending[key] else { return nil }
        if item.copies == 0 { credit = min(credit + 1, 10 * timings.requestsPerExtraCopy) }
        item.copies += 1
        (item.on, item.extra, item.notBefore) = (link, nil, nil)
        item.sentAt = now
        let carried = carry(item.message, on: link, at: now)
        let late = max(timings.lateAfter * 1_000_000, answerTimes.percentile99)
        let probe = carried.after(nanoseconds: late / 2)
        (item.probeAt, item.lateAt) = (probe, carried.after(nanoseconds: late))
        wake(by: probe)
        pending[key] = item
        return .send(stamped(item.message), on: link)
    }

    /// When a slow line has carried it: at once, unless it is long.
    private mutating func carry(_ message: ToNode, on link: Link, at now: Instant) -> Instant {
        guard message.transferTime > 0, let busyUntil = connections[link]?.busyUntil else { return now }
        let carried = max(busyUntil, now).after(nanoseconds: message.transferTime)
        connections[link]?.busyUntil = carried
        return carried
    }

    /// With the low mark of this moment.
    func stamped(_ message: ToNode) -> ToNode {
        guard case .request(var request) = message, request.session != 0, request.session == session else {
            return message
        }
        request.answeredBelow = min(unresolved.first ?? nextSequence, Int64(request.sequence))
        if planted("forgetWhatIsUnanswered") { request.answeredBelow = Int64(request.sequence) }
        return .request(request)
    }

    /// Sends what is not under way: all that lost its connection or whose pause is over; with `everything`, also what
    /// is under way or pauses.
    mutating func dispatch(at now: Instant, everything: Bool = false) -> [Directive] {
        guard !pending.isEmpty else { return [] }
        let due = pending.filter { _, item in
            // Another leader does not change what a standby answers.
            if everything, item.message.readLevel ?? .latest == .latest { return true }
            return item.on == nil && item.extra == nil && (item.notBefore.map { $0 <= now } ?? true)
        }
        return due.sorted { $0.value.ordinal < $1.value.ordinal }.compactMap { key, item in
            destination(of: item).flatMap { transmit(key, on: $0, at: now) }
        }
    }

    /// To whom it goes now. Nil: nobody there may answer it.
    func destination(of item: Pending) -> Link? {
        switch item.message.readLevel {
        case nil, .latest: target
        case .standby(nil): standbyLink
        case .standby(.some): standbyLink ?? target
        // Rather from the node that has less to do.
        case .atLeast: standbyLink ?? target
        }
    }

    private var standbyLink: Link? {
        let standbys = order.filter { connections[$0]?.phase == .live && connections[$0]?.standing?.role == .standby }
        return unsuspected(standbys)
            .min { connections[$0]?.roundTrip.smoothed ?? 0 < connections[$1]?.roundTrip.smoothed ?? 0 }
    }

    /// Callers who have waited long enough are told. A late answer then only frees the name.
    mutating func expire(at now: Instant) -> [Directive] {
        var directives: [Directive] = []
        let over = pending.filter { $0.value.deadline <= now }
        for (key, item) in over.sorted(by: { $0.value.ordinal < $1.value.ordinal }) {
            pending[key] = nil
            if item.copies == item.turnedAway, case .request(let name) = key { resolve(name) }
            if let call = item.call { directives.append(.deliver(.failed(item.failure(key)), to: call)) }
        }
        let turnedAway = pending.contains { key, item in
            if case .opening = key { item.turnedAway > 0 } else { false }
        }
        for waiting in unnamed where waiting.deadline <= now {
            directives.append(.deliver(.failed(turnedAway ? .diskFull : .unreachable), to: waiting.call))
        }
        unnamed.removeAll { $0.deadline <= now }
        return directives
    }

    mutating func forgetCopies(on link: Link) {
        for (key, item) in pending where item.on == link || item.extra == link {
            if item.on == link { pending[key]?.on = item.extra }
            pending[key]?.extra = nil
        }
    }

    /// Only what a `tick` can do something about: else it would be due again and again.
    func earliestDeadline() -> Instant? {
        var moments = connections.values.compactMap { $0.deadline(timings) } + unnamed.map(\.deadline)
        for item in pending.values {
            moments.append(item.deadline)
            if item.on != nil, let due = item.probeAt ?? item.lateAt { moments.append(due) }
            if let again = item.notBefore, destination(of: item) != nil { moments.append(again) }
        }
        return moments.min()
    }

    private mutating func begin(by deadline: Instant, at now: Instant) {
        if isIdle { hurryBeats(at: now) }
        wake(by: deadline)
    }

    mutating func ordinal() -> UInt64 {
        defer { nextOrdinal += 1 }
        return nextOrdinal
    }

    private var retries: Backoff { Backoff(from: timings.retryFrom, to: timings.retryTo) }
}
