import NIOCore
import Planted
import Replication
import Transport
import Wire

/// Who is let in: the other node, and of all processes that show its certificate only one.
extension PeerLink {
    func greet(_ connection: LinkConnection) {
        guard var hello = delegate?.hello else { return }
        hello.process = process
        connection.hasGreeted = true
        send(encoded(Twinline_Node_V1_PeerMessage(hello)), on: connection.channel)
    }

    func received(_ bytes: [UInt8], on id: Int) {
        do throws(MalformedMessage) {
            let message: Twinline_Node_V1_PeerMessage = try decoded(bytes)
            if receivedLong(message, on: id) { return planLookAside(from: id) }
            let envelope = try PeerEnvelope(message)
            if let index = pending.firstIndex(where: { $0.id == id }) { try admit(index, envelope) }
            // Nor does what a connection said count that is closed meanwhile, or never was let in.
            guard connections.contains(where: { $0.id == id }) else { return }
            delegate?.peerSaid(envelope)
            planLookAside(from: id)
        } catch {
            refuse(error, from: id)
        }
    }

    func refuse(_ error: MalformedMessage, from id: Int) {
        log.error("the other node said something impossible", metadata: ["field": "\(error.field)"])
        guard let connection = (connections + pending).first(where: { $0.id == id }) else { return }
        connection.refuse("it said what can't be: \(error.field)")
        // Until it has gone, nothing more is heard of it.
        ended(id, route: nil, because: error)
    }

    /// In TLS 1.3 a client knows that it was let in only when the server says something.
    private func admit(_ index: Int, _ envelope: PeerEnvelope) throws(MalformedMessage) {
        guard case .hello(let hello) = envelope.message.body, envelope.pair == pair, hello.node == peer else {
            throw MalformedMessage(field: "hello")
        }
        let connection = pending.remove(at: index)
        guard isPeer(envelope.process) else {
            return connection.refuse(
                "another process is node \(peer) already, and alive; two with one certificate must never run: stop one")
        }
        peerProcess = envelope.process
        if !connection.hasGreeted { greet(connection) }
        let channel = connection.channel
        let allow = { @Sendable in try? channel.pipeline.syncOperations.allowFrames(upTo: MessageParts.frameLimit) }
        // Long frames come only after a join, which is written behind this.
        if channel.eventLoop.inEventLoop { _ = allow() } else { channel.eventLoop.execute { _ = allow() } }
        connections.append(connection)
        for route in routes.indices {
            (routes[route].refused, routes[route].failures, routes[route].reason) = (false, 0, "")
        }
        guard down else { return }
        down = false
        delegate?.peerConnected()
    }

    /// Whether this is the process that the other node is. It is replaced only once nothing is heard of it any more: it
    /// may have restarted, or be frozen, and then it is refused itself when it thaws.
    private func isPeer(_ process: UInt64) -> Bool {
        guard process != peerProcess, !connections.isEmpty, !planted("theNewerOfTwoStays") else { return true }
        let now = monotonicNow()
        if connections.contains(where: { $0.silence(at: now) <= 10 * heartbeat }) { return false }
        log.warning("another process of the other node takes the place of one that is silent")
        for connection in connections {
            connection.refuse("another process is node \(peer) now; two with one certificate must never run: stop one")
            ended(connection.id, route: nil, because: nil)
        }
        return true
    }
}
