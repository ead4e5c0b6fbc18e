import Logging
import NIOCore
import Replication
import Synchronization
import Wire

/// Gives the other node a copy of this node's database, when it asks for one: takes a snapshot, serves it in pieces,
/// and keeps it until the other node is level again. One snapshot at a time, and for one connection at a time.
///
/// This is the way in, from any thread; the work is done on a thread of its own (`SnapshotServer`), which is the only
/// one that ever waits for it.
final class SnapshotKeeper: Sendable {
    enum Order: Sendable {
        case want(pair: RandomID?, snapshot: RandomID?, CopyAsker)
        case fetch(RandomID, offset: UInt64, length: Int, CopyAsker)
        /// What the core says to the question for the ground to stand on; nil: this node does not lead.
        case ground(SnapshotGround?)
        case linked(chain: UInt64?)
        /// - Parameter leads: the snapshot is given up without it.
        /// - Parameter level: the standby needs it no more.
        case look(leads: Bool, level: Bool)
        case stop
    }

    let orders = Mailbox<Order>()
    private let asking = Mutex<CopyAsker?>(nil)
    /// How much of the snapshot has been sent, for status; nil: nobody fetches one.
    let sent = Mutex<(done: UInt64, total: UInt64)?>(nil)

    func look(leads: Bool, level: Bool) { orders.post(.look(leads: leads, level: level)) }

    /// Ends its thread and its connection.
    func stop() {
        orders.post(.stop)
        asking.withLock { $0 }?.channel.close(promise: nil)
    }

    /// For the listener, on the channel's event loop: the other node has dialled. A connection that it had before is
    /// dead, whether or not this machine's system knows.
    func accept(_ channel: any Channel) throws {
        let asker = CopyAsker(channel)
        try channel.pipeline.syncOperations.addHandler(CopyRequestHandler(asker, orders))
        let before = asking.withLock { current in
            defer { current = asker }
            return current
        }
        before?.channel.close(promise: nil)
    }
}

/// What a snapshot begins with: it is not older than `applied`, and from there on the log is kept.
struct SnapshotGround: Sendable {
    var applied: LSN
    var leads: Epoch
    var register: Register
    var witness: WitnessChoice
}

/// A node that fetches a copy, over one connection.
final class CopyAsker: Sendable {
    let channel: any Channel
    private let unanswered = Mutex(0)

    init(_ channel: any Channel) { self.channel = channel }

    /// False: more than the protocol allows.
    func asks() -> Bool {
        unanswered.withLock { count in
            count += 1
            return count <= CopyRequest.fetchLimit + 1
        }
    }

    /// - Parameter ends: it is the last answer to a request.
    func answer(_ reply: CopyReply, ends: Bool = true) {
        if ends { unanswered.withLock { $0 -= 1 } }
        let payload = encoded(Twinline_Copy_V1_CopyReply(reply))
        var buffer = channel.allocator.buffer(capacity: payload.count + 4)
        buffer.writeFrame(payload)
        channel.writeAndFlush(buffer, promise: nil)
    }
}

/// One such connection: requests in. Lives on the channel's event loop.
private final class CopyRequestHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let asker: CopyAsker
    private let orders: Mailbox<SnapshotKeeper.Order>

    init(_ asker: CopyAsker, _ orders: Mailbox<SnapshotKeeper.Order>) { (self.asker, self.orders) = (asker, orders) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        do throws(MalformedMessage) {
            guard buffer.readableBytes <= CopyRequest.lengthLimit, asker.asks() else {
                throw MalformedMessage(field: "frame")
            }
            let wire: Twinline_Copy_V1_CopyRequest = try decoded(buffer.readableBytesSpan)
            switch try CopyRequest(wire) {
            case .want(let pair, let snapshot): orders.post(.want(pair: pair, snapshot: snapshot, asker))
            case .fetch(let snapshot, let offset, let length):
                orders.post(.fetch(snapshot, offset: offset, length: length, asker))
            }
        } catch {
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
