import NIOCore
import Replication
import Wire

/// Long messages have a connection of their own, if there are two: behind one of them on the same connection what is
/// short would wait for all that the system has taken of it.
extension PeerLink {
    /// The protocol hears of a long message that moves after so many bytes.
    private static let noteworthy = UInt64(8 * MessageParts.size)

    func sendLong(_ envelope: PeerEnvelope) {
        if let connection = connections.last { longQueue.add(envelope, on: connection) }
    }

    /// Parts of long messages are put together and decoded on another thread.
    /// - Returns: false for all else.
    func receivedLong(_ message: Twinline_Node_V1_PeerMessage, on id: Int) -> Bool {
        guard connections.contains(where: { $0.id == id }) else { return false }
        switch message.body {
        case .part(let part):
            if part.offset % Self.noteworthy == 0 { delegate?.peerWorked() }
            let number = part.number
            let link = NIOLoopBound(self, eventLoop: loop)
            let loop = loop
            let bytes = part.offset.addingReportingOverflow(UInt64(part.bytes.count)).partialValue
            if bytes < part.length { taken(bytes, of: number, on: id) }
            let length = part.length
            long.add(part, connection: id) { result in
                loop.execute { link.value.decoded(result, length: length, of: number, on: id) }
            }
        case .partsTaken(let taken): longQueue.taken(taken.bytes, of: taken.number)
        default: return false
        }
        return true
    }

    private func decoded(_ result: LongMessageThread.Decoded, length: UInt64, of number: UInt64, on id: Int) {
        switch result {
        case .success(let envelope):
            guard connections.contains(where: { $0.id == id }) else { return }
            // Before anything that the sender then sends, over whatever connection, can be here.
            delegate?.peerSaid(envelope)
            taken(length, of: number, on: id)
        case .failure(let error): refuse(error, from: id)
        }
    }

    private func taken(_ bytes: UInt64, of number: UInt64, on id: Int) {
        guard let connection = connections.first(where: { $0.id == id }) else { return }
        var taken = Twinline_Node_V1_PeerMessage()
        (taken.partsTaken.number, taken.partsTaken.bytes) = (number, bytes)
        send(encoded(taken), on: connection.channel)
    }
}
