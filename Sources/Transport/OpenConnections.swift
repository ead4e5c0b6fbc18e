import NIOCore
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
    }

    private let state: Mutex<State>
    private let dismissed: Dismissed

    package init(_ context: TLSContext, dismissed: @escaping Dismissed = { _, _ in }) {
        state = Mutex(State(context: context))
        self.dismissed = dismissed
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
        for (index, entry) in entries.enumerated() {
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
    func enter(_ channel: any Channel, _ options: ConnectionOptions, _ admission: TLSAdmission) throws {
        let id = ObjectIdentifier(channel)
        let begun = context
        let session = try TLSSession(begun)
        let judged = TLSAdmission(
            admit: { (channel, peer) throws(TransportError) in
                self.state.withLock { state in
                    state.entries[id]?.peer = peer.certificate.identity
                    state.entries[id]?.peerExpires = session.peerExpires
                }
                // The files may have changed during the handshake.
                let current = self.context
                if current !== begun, let fault = session.fault(under: current) { throw .peerRefused(fault) }
                try admission.admit(channel, peer)
            },
            refuse: admission.refuse)
        try channel.pipeline.syncOperations.addHandler(TLSHandler(session, options, judged))
        state.withLock { $0.entries[id] = Entry(channel: channel) }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.entries[id] = nil } }
    }
}
