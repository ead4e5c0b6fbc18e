import NIOCore
import Replication
import Wire

extension PeerLink {
    /// The protocol hears of a long message that moves after so many bytes.
    private static let noteworthy = 8 * MessageParts.size

    /// Parts of long messages, and entries that come behind them, are decoded on another thread.
    /// - Returns: false for all else.
    func receivedLong(_ message: Twinline_Node_V1_PeerMessage, on id: Int) -> Bool {
        guard let connection = connections.first(where: { $0.id == id }) else { return false }
        if case .part(let part)? = message.body {
            if part.isLast { connection.decoding += 1 }
            if part.offset % UInt64(Self.noteworthy) == 0 { delegate?.peerWorked() }
            long.add(part, connection: id, done: decoded(on: id))
            return true
        }
        guard message.hasEntries, connection.decoding > 0 else { return false }
        connection.decoding += 1
        long.decode(message, done: decoded(on: id))
        return true
    }

    private func decoded(on id: Int) -> @Sendable (LongMessageThread.Decoded) -> Void {
        let link = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        return { result in
            loop.execute {
                let link = link.value
                guard let connection = link.connections.first(where: { $0.id == id }) else { return }
                switch result {
                case .success(let envelope):
                    connection.decoding -= 1
                    link.delegate?.peerSaid(envelope)
                case .failure(let error): link.refuse(error, from: id)
                }
            }
        }
    }
}
