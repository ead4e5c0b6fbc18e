import Logging
import NIOCore
import Replication
import Transport

/// Routes that fall silent.
extension PeerLink {
    /// Something came over this connection.
    func planLookAside(from id: Int) { if id != connections.first?.id { planLook() } }

    /// Something came over another connection than the one in use. Should that be a heartbeat which is still to come
    /// here, it is here in a moment.
    private func planLook() {
        let patience = heartbeat * 4 / 5
        guard !isLookPlanned, let current = connections.first, current.silence(at: monotonicNow()) > patience
        else { return }
        isLookPlanned = true
        loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(max(heartbeat / 4, 5)))) {
            self.isLookPlanned = false
            self.look(patience: patience)
        }
    }

    private func look(patience: UInt64) {
        let now = monotonicNow()
        guard let current = connections.first, current.silence(at: now) > patience,
            let other = connections.firstIndex(where: { $0.silence(at: now) <= heartbeat })
        else { return }
        log.notice(
            "a route to the other node is silent; using another one",
            metadata: ["silent": "\(current.address)", "now": "\(connections[other].address)"])
        connections.swapAt(0, other)
        longQueue.clear()
        delegate?.peerRouteChanged()
    }

    /// One that others outlive is dialled anew: a route that works again is taken into use by that.
    func closeSilent() {
        let now = monotonicNow()
        guard connections.contains(where: { $0.silence(at: now) <= 2 * heartbeat }) else { return }
        for connection in connections where connection.silence(at: now) > 10 * heartbeat {
            connection.channel.close(promise: nil)
        }
    }
}
