import NIOCore

/// The last handler of a connection whose owner lives on another event loop, perhaps: hands everything over to it
/// there.
final class FrameRelay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let core: any EventLoop
    private let active: @Sendable () -> Void
    private let frame: @Sendable ([UInt8]) -> Void
    private let closed: @Sendable ((any Error)?) -> Void
    private var error: (any Error)?

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
        let frame = frame
        onCore { frame(bytes) }
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
