import Planted
import Replication
import Tickets
import Wire

// What nodes answer.
extension SeatSession {
    mutating func answered(
        _ name: RequestName, _ verdict: FromNode.Verdict, on link: Link, at now: Instant
    ) -> [Directive] {
        if name.session == 0 { return openingAnswered(UInt64(bitPattern: name.sequence), verdict, on: link, at: now) }
        let key = Key.request(name)
        if case .notNow(let reason) = verdict { return postpone(key, reason, on: link, at: now) }
        // Nobody waits for a second answer, nor for one that came after its caller's deadline. That caller was told to
        // ask again under the name: so it stays open, and the pair remembers the answer.
        guard let item = pending.removeValue(forKey: key) else { return [] }
        measure(item, at: now)
        resolve(name)
        switch verdict {
        case .done(let done): return deliver(.done(done), item)
        case .executed(let results): return deliver(.executed(results), item)
        case .schemaChanged(let version): return deliver(.schemaChanged(version: version), item)
        case .refused(.unknownSession): return sessionUnknown(item, name, at: now)
        case .refused(.windowExpired): return deliver(.failed(.unknown(name)), item)
        case .refused(let refusal): return deliver(.failed(.refused(refusal)), item)
        case .sessionOpened, .notNow: return deliver(.failed(.unknown(name)), item)
        }
    }

    mutating func shown(
        _ number: UInt64, _ verdict: FromNode.ReadVerdict, on link: Link, at now: Instant
    ) -> [Directive] {
        let key = Key.read(number)
        if case .notNow(let reason) = verdict {
            if reason.tooOld, pending[key]?.on == link {
                pending[key]?.askPrimary()
                return sendNow(key, at: now)
            }
            return postpone(key, reason, on: link, at: now)
        }
        guard let item = pending.removeValue(forKey: key), case .read(let read) = item.message else { return [] }
        measure(item, at: now)
        switch verdict {
        case .view(let answer):
            guard let view = try? View(answer, to: read.query) else { return deliver(.failed(.unreachable), item) }
            return deliver(.view(view, Origin(answer)), item)
        case .refused(let refusal): return deliver(.failed(.refused(refusal)), item)
        case .notNow: return []
        }
    }

    mutating func inspected(_ outcome: Outcome, on link: Link) -> [Directive] {
        guard inspections[link]?.isEmpty == false, let call = inspections[link]?.removeFirst() else { return [] }
        return [.deliver(outcome, to: call)]
    }

    private mutating func openingAnswered(
        _ number: UInt64, _ verdict: FromNode.Verdict, on link: Link, at now: Instant
    ) -> [Directive] {
        let key = Key.opening(number)
        guard case .sessionOpened(let opened) = verdict else {
            // An opening can only be put off; what else is said of it is no answer.
            let reason: FromNode.NotNow = if case .notNow(let reason) = verdict { reason } else { FromNode.NotNow() }
            return postpone(key, reason, on: link, at: now)
        }
        guard let item = pending.removeValue(forKey: key) else { return [] }
        measure(item, at: now)
        (session, nextSequence, unresolved) = (opened, 1, [])
        let waiting = unnamed
        unnamed = []
        return waiting.flatMap { name($0, at: now) }
    }

    /// The pair no longer knows the session. This copy was not run; if it was the only one ever sent, the request has
    /// not happened and may get a new name. An older copy may have been run before the session was forgotten: unknown.
    private mutating func sessionUnknown(_ item: Pending, _ name: RequestName, at now: Instant) -> [Directive] {
        if session == name.session { (session, unresolved) = (nil, []) }
        guard item.copies == 1 || planted("resendUnderANewName"), let call = item.call,
            case .request(let request) = item.message, request.body != .openSession, request.body != .withdraw
        else { return deliver(.failed(.unknown(name)), item) }
        guard !item.keepsName else { return deliver(.nameVoid, item) }
        let unnamed = Unnamed(body: request.body, call: call, deadline: item.deadline, ordinal: item.ordinal)
        guard session != nil else {
            self.unnamed.append(unnamed)
            return openSession(at: now)
        }
        return self.name(unnamed, at: now)
    }

    /// "Not now": this copy is gone. Another leader gets the request at once, the same one after a pause.
    private mutating func postpone(
        _ key: Key, _ reason: FromNode.NotNow, on link: Link, at now: Instant
    ) -> [Directive] {
        if var item = pending[key] {
            if reason.diskFull { item.turnedAway += 1 }
            if item.extra == link {
                item.extra = nil
            } else if item.on == link, item.extra != nil {
                (item.on, item.extra) = (item.extra, nil)
            } else if item.on == link {
                let pause = max(item.retries.delay(&random), reason.againAfter * 1_000_000)
                let until = now.after(nanoseconds: pause)
                (item.on, item.lateAt, item.notBefore) = (nil, nil, until)
                wake(by: until)
            }
            pending[key] = item
        }
        return reason.standing.map { stand($0, of: link, at: now) } ?? []
    }

    /// The sequence has its answer, or will never be asked for again: the low mark may pass it.
    mutating func resolve(_ name: RequestName) {
        guard name.session == session, let index = unresolved.firstIndex(of: name.sequence) else { return }
        unresolved.remove(at: index)
    }

    /// Bounds what callers who never ask again leave behind.
    mutating func giveUpOldest() {
        guard unresolved.count > timings.window, let session else { return }
        let abandoned = unresolved.firstIndex { pending[.request(RequestName(session: session, sequence: $0))] == nil }
        if let abandoned, abandoned < unresolved.count - 1 { unresolved.remove(at: abandoned) }
    }

    /// Only what was sent once tells how long an answer takes (Karn and Partridge, 1987).
    private mutating func measure(_ item: Pending, at now: Instant) {
        if item.copies == 1, !item.message.maySlack { answerTimes.add(now.since(item.sentAt)) }
    }

    private func deliver(_ outcome: Outcome, _ item: Pending) -> [Directive] {
        item.call.map { [.deliver(outcome, to: $0)] } ?? []
    }
}
