import Planted
import Replication
import Wire

/// Sending the log to the standby, in order, for as long as one session lasts.
struct Shipping {
    /// About so many bytes travel in one message.
    static let chunk = 1 << 20
    /// How far ahead of the standby's acknowledgements: a full link must not hide heartbeats behind it.
    static let window = 8 << 20
    /// How much of what it was sent the standby's database may lack before new batches wait: what is in memory there,
    /// and takes less than a second to apply.
    static let unappliedLimit = EntryCache.limit

    var session: UniqueNumber
    /// The session's first entry.
    var first: LSN
    var next: LSN
    var reading = false
    /// Sent and not acknowledged.
    var underWay = Backlog()
    /// Sent and not in the standby's database.
    var unapplied = Backlog()
}

/// Messages of entries that are waited for.
struct Backlog {
    private var messages: [(last: LSN, bytes: Int)] = []
    private(set) var bytes = 0

    mutating func append(through last: LSN, _ bytes: Int) {
        messages.append((last, bytes))
        self.bytes += bytes
    }

    mutating func remove(through lsn: LSN) {
        guard let first = messages.first, first.last <= lsn else { return }
        let count = messages.firstIndex { $0.last > lsn } ?? messages.count
        bytes -= messages[..<count].reduce(0) { $0 + $1.bytes }
        messages.removeFirst(count)
    }

    mutating func cut(to lsn: LSN) {
        while let last = messages.last, last.last > lsn {
            bytes -= last.bytes
            messages.removeLast()
        }
    }
}

extension NodeEngine {
    func ship(from lsn: LSN, session: UniqueNumber) {
        var new = Shipping(session: session, first: lsn, next: lsn)
        if let shipping, shipping.session == session {
            new.unapplied = shipping.unapplied
            new.unapplied.cut(to: LSN(lsn.value - 1))
        }
        shipping = new
        pump()
    }

    func pump() {
        guard case .primary(let primary) = replica.role, let session = primary.session,
            shipping?.session == session.id
        else { return }
        shipping?.underWay.remove(through: session.acked)
        while let next = nextToShip {
            if let frames = cache.entries(from: next, through: tip.position.lsn, maxBytes: Shipping.chunk) {
                sendChunk(frames)
            } else {
                shipping?.reading = true
                log.read(from: next, maxBytes: Shipping.chunk, for: .shipping)
            }
        }
    }

    private var nextToShip: LSN? {
        guard let next = shipping?.next, shipping?.reading == false, next <= tip.position.lsn,
            let bytes = shipping?.underWay.bytes, bytes < Shipping.window
        else { return nil }
        return next
    }

    func sendChunk(_ frames: [EntryFrame]) {
        guard let session = shipping?.session, frames.first?.position.lsn == shipping?.next,
            let last = frames.last?.position.lsn
        else { return }
        let bytes = frames.reduce(0) { $0 + $1.bytes.count }
        shipping?.next = last.next
        shipping?.underWay.append(through: last, bytes)
        shipping?.unapplied.append(through: last, bytes)
        let message = Message(replica.epoch, session, .append(Run(frames), committed: replica.committed))
        shell.send(PeerEnvelope(message, frames: frames, pair: pair, stamp: stamp(of: message)), everywhere: false)
    }

    /// The standby's database is so far behind its log that seats would have to wait for it, should it take over: the
    /// next batch waits instead. A standby that a solo primary does not need yet holds up nobody.
    var standbyIsBehind: Bool {
        guard case .primary(let primary) = replica.role, primary.needsStandby, let session = primary.session,
            shipping?.session == session.id
        else { return false }
        shipping?.unapplied.remove(through: session.applied)
        return (shipping?.unapplied.bytes ?? 0) > Shipping.unappliedLimit && !planted("leaveTheStandbyBehind")
    }

    /// What the database has and the standby has acknowledged nobody will ask for soon.
    func releaseCache() {
        var wanted = replica.applied
        if case .primary(let primary) = replica.role, let session = primary.session {
            wanted = min(wanted, session.acked)
        }
        cache.release(through: wanted)
    }
}
