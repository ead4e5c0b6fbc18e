import DurableLog
import Logging
import NIOCore
import Replication
import Synchronization
import Transport
import Wire

/// Fetches a copy of the other node's database, and puts it in the place of this node's own. While it runs there is no
/// replica here, so whatever becomes of it, this node neither follows nor claims.
///
/// This is the way in; the work is done on a thread of its own, by `Reception`.
final class Reseeder: Sendable {
    enum Outcome: Sendable { case installed, stopped, failed(ExitCode) }

    enum Event: Sendable {
        case opened(any Channel, attempt: Int)
        case reply(CopyReply, attempt: Int)
        case closed(String, attempt: Int)
        /// Four times a second.
        case tick
        case stop
    }

    let events = Mailbox<Event>()
    /// Chunks that wait for the disk.
    private let waiting = Mutex(0)
    private let settings: NodeSettings
    private let loop: any EventLoop
    private let dialer: Dialer

    init(_ settings: NodeSettings, on loop: any EventLoop, _ connections: OpenConnections) {
        self.settings = settings
        self.loop = loop
        dialer = Dialer(connections, connectTimeout: .seconds(2))
    }

    func stop() { events.post(.stop) }

    /// - Parameter reception: given up to the thread.
    func run(_ data: DataDirectory, _ file: NodeFile, _ view: ReseedView, log: Logger) async -> Outcome {
        let ticks = loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(250)) { _ in
            if self.events.isEmpty { self.events.post(.tick) }
        }
        defer { ticks.cancel() }
        let settings = settings
        return await withCheckedContinuation { ended in
            startThread("reseed") {
                let reception = Reception(self, data, file, settings, view, log: log)
                ended.resume(returning: reception.run())
            }
        }
    }

    /// From the reception's thread. What becomes of it arrives as events.
    func dial(attempt: Int) {
        let address = settings.peer[attempt % settings.peer.count]
        let dialled = dialer.dial(address, on: loop, expecting: .node(settings.node.other)) { channel, _ in
            try channel.pipeline.syncOperations.allowFrames(upTo: CopyReply.lengthLimit)
            try channel.pipeline.syncOperations.addHandler(
                CopyReplyHandler(
                    take: { self.take($0, attempt) }, closed: { self.events.post(.closed($0, attempt: attempt)) }))
        }
        dialled.whenComplete { result in
            switch result {
            case .success(let channel): self.events.post(.opened(channel, attempt: attempt))
            case .failure(let error): self.events.post(.closed("\(error)", attempt: attempt))
            }
        }
    }

    /// False: more than was asked for.
    private func take(_ reply: CopyReply, _ attempt: Int) -> Bool {
        let fits = waiting.withLock { count in
            count += 1
            return count <= 4 * CopyRequest.fetchLimit
        }
        events.post(.reply(reply, attempt: attempt))
        return fits
    }

    func taken() { waiting.withLock { $0 -= 1 } }

    /// What came over an earlier connection waits no more.
    func forget() { waiting.withLock { $0 = 0 } }

    func send(_ request: CopyRequest, on channel: any Channel) {
        let payload = encoded(Twinline_Copy_V1_CopyRequest(request))
        var buffer = channel.allocator.buffer(capacity: payload.count + 4)
        buffer.writeFrame(payload)
        channel.writeAndFlush(buffer, promise: nil)
    }
}

/// The connection that a copy comes over: replies in, each checked. Lives on the channel's event loop.
private final class CopyReplyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let take: (CopyReply) -> Bool
    private let closed: (String) -> Void
    private var reason: String?

    init(take: @escaping (CopyReply) -> Bool, closed: @escaping (String) -> Void) {
        (self.take, self.closed) = (take, closed)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        do throws(MalformedMessage) {
            let wire: Twinline_Copy_V1_CopyReply = try decoded(buffer.readableBytesSpan)
            guard take(try CopyReply(wire)) else { throw MalformedMessage(field: "frame") }
        } catch {
            end(context, "the other node said something impossible: \(error.field)")
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end(context, "\(error)") }

    private func end(_ context: ChannelHandlerContext, _ reason: String) {
        if self.reason == nil { self.reason = reason }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        closed(reason ?? "the other node ended the connection")
        context.fireChannelInactive()
    }
}
