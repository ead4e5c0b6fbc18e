import NIOCore
import Synchronization

/// The last handler of a connection whose owner lives on another event loop, perhaps: hands everything over to it
/// there. While too much waits for the owner, nothing more is read.
final class FrameRelay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Bytes under way to the owner, above which reading stops until half of them are gone.
    private static let limit = 8 << 20

    private let core: any EventLoop
    private let active: @Sendable () -> Void
    private let frame: @Sendable ([UInt8]) -> Void
    private let closed: @Sendable ((any Error)?) -> Void
    private let backlog = Backlog()
    private var error: (any Error)?

    /// Touched on both loops.
    private final class Backlog: Sendable {
        let bytes = Atomic(0)
        let isPaused = Atomic(false)
    }

    /// The closures run on `core`.
    init(
        core: any EventLoop, active: @escaping @Sendable () -> Void, frame: @escaping @Sendable ([UInt8]) -> Void,
        closed: @escaping @Sendable ((any Error)?) -> Void
    ) {
        self.core = core
        self.active = active
        self.frame = frame
        self.closed = closed
    }

    private func onCore(_ work: @escaping @Sendable () -> Void) {
        if core.inEventLoop { work() } else { core.execute(work) }
    }

    func channelActive(context: ChannelHandlerContext) {
        onCore(active)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Array(unwrapInboundIn(data).readableBytesView)
        if core.inEventLoop { return frame(bytes) }
        let (frame, backlog, channel) = (frame, backlog, context.channel)
        let waiting = backlog.bytes.add(bytes.count, ordering: .relaxed).newValue
        // Before the frame is on its way, so that whoever sees the last one off finds the pause.
        if waiting > Self.limit, !backlog.isPaused.exchange(true, ordering: .sequentiallyConsistent) {
            channel.setOption(.autoRead, value: false).whenFailure { _ in }
        }
        core.execute {
            frame(bytes)
            let left = backlog.bytes.subtract(bytes.count, ordering: .relaxed).newValue
            if left <= Self.limit / 2, backlog.isPaused.exchange(false, ordering: .sequentiallyConsistent) {
                channel.setOption(.autoRead, value: true).whenFailure { _ in }
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.error == nil { self.error = error }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        let (closed, error) = (closed, error)
        onCore { closed(error) }
        context.fireChannelInactive()
    }
}
