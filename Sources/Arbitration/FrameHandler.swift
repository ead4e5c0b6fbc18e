import NIOCore
import Wire

/// The last handler of a connection: hands each frame's bytes on, and says once that the connection has ended.
package final class FrameHandler: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    private let frame: ([UInt8]) -> Void
    private let closed: ((any Error)?) -> Void
    private var error: (any Error)?

    package init(frame: @escaping ([UInt8]) -> Void, closed: @escaping ((any Error)?) -> Void) {
        self.frame = frame
        self.closed = closed
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        frame(Array(buffer.readableBytesView))
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.error == nil { self.error = error }
        context.close(promise: nil)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        closed(error)
        context.fireChannelInactive()
    }
}
