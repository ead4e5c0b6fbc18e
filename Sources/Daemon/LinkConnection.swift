import NIOCore
import Replication
import Synchronization
import Transport

/// One connection to the other node.
final class LinkConnection {
    /// For the log: a connection that was let in is refused after all.
    typealias Note = @Sendable (SocketAddress?, PeerFault) -> Void

    let id: Int
    let channel: any Channel
    private let heard: HeardAt
    private let note: Note
    /// This side's hello is sent.
    var hasGreeted = false

    init(_ id: Int, _ channel: any Channel, _ heard: HeardAt, _ note: @escaping Note) {
        (self.id, self.channel, self.heard, self.note) = (id, channel, heard, note)
    }

    /// Tells the peer why, and ends it.
    func refuse(_ reason: String) {
        note(channel.remoteAddress, .notAdmitted(reason))
        Dismissal.of(channel, because: reason)
    }

    /// Milliseconds since anything came over it, be it a part of a long message.
    func silence(at now: Instant) -> UInt64 {
        let last = heard.nanoseconds.load(ordering: .relaxed)
        return last < now.nanoseconds ? (now.nanoseconds - last) / 1_000_000 : 0
    }

    /// For the log.
    var address: String { channel.remoteAddress.map { "\($0)" } ?? "closed" }
}

/// When something last came: written on the connection's event loop, read on the link's.
final class HeardAt: Sendable {
    let nanoseconds = Atomic(monotonicNow().nanoseconds)
}

/// The first handler of a connection: notes that bytes came.
final class Ear: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    let heard = HeardAt()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heard.nanoseconds.store(monotonicNow().nanoseconds, ordering: .relaxed)
        context.fireChannelRead(data)
    }
}
