import Replication
import Wire

/// Sending the log to the standby, in order, for as long as one session lasts.
struct Shipping {
    /// About so many bytes travel in one message.
    static let chunk = 1 << 20
    /// How far ahead of the standby's acknowledgements: a full link must not hide heartbeats behind it.
    static let window = 8 << 20

    var session: UniqueNumber
    /// The session's first entry.
    var first: LSN
    var next: LSN
    var reading = false
    /// Sent and not acknowledged: the last LSN of each message and its bytes.
    var underWay: [(last: LSN, bytes: Int)] = []
    var bytesUnderWay = 0
}

extension NodeEngine {
    func ship(from lsn: LSN, session: UniqueNumber) {
        shipping = Shipping(session: session, first: lsn, next: lsn)
        pump()
    }

    func pump() {
        guard case .primary(let primary) = replica.role, let session = primary.session,
            shipping?.session == session.id
        else { return }
        acknowledged(session.acked)
        while let state = shipping, !state.reading, state.next <= tip.position.lsn,
            state.bytesUnderWay < Shipping.window
        {
            if let frames = cache.entries(from: state.next, through: tip.position.lsn, maxBytes: Shipping.chunk) {
                sendChunk(frames)
            } else {
                shipping?.reading = true
                log.read(from: state.next, maxBytes: Shipping.chunk, for: .shipping)
            }
        }
    }

    func sendChunk(_ frames: [EntryFrame]) {
        guard let state = shipping, frames.first?.position.lsn == state.next, let last = frames.last?.position.lsn
        else { return }
        let bytes = frames.reduce(0) { $0 + $1.bytes.count }
        shipping?.next = last.next
        shipping?.underWay.append((last, bytes))
        shipping?.bytesUnderWay += bytes
        let message = Message(replica.epoch, state.session, .append(Run(frames), committed: replica.committed))
        shell.send(PeerEnvelope(message, frames: frames, pair: pair), everywhere: false)
    }

    private func acknowledged(_ lsn: LSN) {
        while let oldest = shipping?.underWay.first, oldest.last <= lsn {
            shipping?.underWay.removeFirst()
            shipping?.bytesUnderWay -= oldest.bytes
        }
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
