import NIOCore
import Planted
import Synchronization

/// All connections of one kind that a process has: the context that new ones use, and those that are open, whose peers
/// are judged again when the context changes and when their time is over.
package final class OpenConnections: Sendable {
    /// Who was let in, and why it would not be any more. For the log.
    package typealias Dismissed = @Sendable (Identity, PeerFault) -> Void

    private struct Entry {
        let channel: any Channel
        /// Nil until the handshake is done.
        var peer: Identity?
        /// Seconds since 1970.
        var peerExpires = Int64.max
    }

    private struct State {
        var context: TLSContext
        var entries: [ObjectIdentifier: Entry] = [:]
        /// How many connections each peer has.
        var counts: [Identity: Int] = [:]

        /// False: it has too many.
        mutating func admit(_ peer: Identity, expires: Int64, _ id: ObjectIdentifier, limit: Int) -> Bool {
            guard entries[id] != nil, counts[peer, default: 0] < limit || planted("anyNumberOfConnections")
            else { return false }
            entries[id]?.peer = peer
            entries[id]?.peerExpires = expires
            counts[peer, default: 0] += 1
            return true
        }

        mutating func leave(_ id: ObjectIdentifier) {
            guard let peer = entries.removeValue(forKey: id)?.peer, let count = counts[peer] else { return }
            counts[peer] = count > 1 ? count - 1 : nil
        }
    }

    private let state: Mutex<State>
    private let dismissed: Dismissed

    package init(_ context: TLSContext, dismissed: @escaping Dismissed = { _, _ in }) {
        state = Mutex(State(context: context))
        self.dismissed = dismissed
    }

    func count(of peer: Identity) -> Int { state.withLock { $0.counts[peer] ?? 0 } }

    /// When the certificate of such a peer expires, in seconds since 1970: the one that lasts longest of those that its
    /// connections came with. Nil: none is here.
    package func expiry(of isMeant: (Identity) -> Bool) -> Int64? {
        state.withLock { $0.entries.values.filter { $0.peer.map(isMeant) ?? false }.map(\.peerExpires).max() }
    }

    package var context: TLSContext { state.withLock { $0.context } }

    /// Judging checks two signatures, a tenth of a millisecond or more. Done at once for thousands of seats it would
    /// keep a node from its heartbeats, so it is spread over this time, which counts towards how soon a revoked peer is
    /// out.
    private static let spread = TimeAmount.milliseconds(500)

    /// The files have changed: new connections use this context from now on, and those whose peer it would not let in
    /// are ended within half a second. The others stay.
    package func renew(_ context: TLSContext) {
        precondition(context.side == self.context.side, "a context of the other side")
        let entries = state.withLock { state in
            state.context = context
            return Array(state.entries.values)
        }
        for (index, entry) in entries.enumerated() where !planted("keepWhoIsRevoked") {
            let delay = TimeAmount.nanoseconds(Self.spread.nanoseconds * Int64(index) / Int64(entries.count))
            entry.channel.eventLoop.scheduleTask(in: delay) { self.judge(entry) }
        }
    }

    /// Ends the connections whose peer has expired. To be called every second or so: nothing but numbers is compared
    /// unless there is such a peer.
    /// - Parameter now: seconds since 1970.
    package func expire(at now: Int64) {
        let late = state.withLock { $0.entries.values.filter { $0.peerExpires <= now } }
        for entry in late { judge(entry, at: now) }
    }

    private func judge(_ entry: Entry, at now: Int64? = nil) {
        let judgement = Judgement(context: context, now: now) { [dismissed] fault in
            if let peer = entry.peer { dismissed(peer, fault) }
        }
        entry.channel.triggerUserOutboundEvent(judgement, promise: nil)
    }

    /// Puts TLS at the head of a new connection, on its event loop.
    /// - Parameter turns: when its handshake goes on; nil: at once.
    func enter(
        _ channel: any Channel, _ options: ConnectionOptions, _ admission: TLSAdmission, turns: HandshakeTurns? = nil
    ) throws {
        let id = ObjectIdentifier(channel)
        let begun = context
        let session = try TLSSession(begun)
        let judged = TLSAdmission(
            admit: { (channel, peer) throws(TransportError) in
                let (identity, limit) = (peer.certificate.identity, options.connectionsPerPeer)
                let expires = session.peerExpires
                let fits = self.state.withLock { $0.admit(identity, expires: expires, id, limit: limit) }
                guard fits else { throw .peerRefused(.tooManyConnections(limit: limit), of: "\(identity)") }
                // The files may have changed during the handshake.
                let current = self.context
                if current !== begun, let fault = session.fault(under: current) {
                    throw .peerRefused(fault, of: "\(identity)")
                }
                try admission.admit(channel, peer)
            },
            refuse: admission.refuse)
        state.withLock { $0.entries[id] = Entry(channel: channel) }
        try channel.pipeline.syncOperations.addHandler(TLSHandler(session, options, judged, turns))
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.leave(id) } }
    }
}
