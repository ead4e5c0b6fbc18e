import NIOCore
import SwiftProtobuf
import Transport
import Wire

/// One connection to a node: frames to messages and back.
final class SeatConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// The longest frame that a node sends.
    private static let frameLimit = 8 * 1024 * 1024

    let link: Link
    private let channel: any Channel
    private let driver: SeatDriver
    /// Frames that wait for the end of this turn of the event loop, to go out as one.
    private var outgoing = ByteBuffer()
    private var error: TransportError?

    init(_ link: Link, _ channel: any Channel, _ driver: SeatDriver) {
        (self.link, self.channel, self.driver) = (link, channel, driver)
    }

    func channelActive(context: ChannelHandlerContext) { driver.opened(self) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let payload = unwrapInboundIn(data)
        do {
            let wire = try Twinline_Seat_V1_NodeMessage(serializedBytes: payload.readableBytesSpan)
            let message = try FromNode(wire)
            switch message {
            case .welcome: driver.isOne(of: wire.welcome.standing.connections, on: self)
            case .standing: driver.isOne(of: wire.standing.connections, on: self)
            default: break
            }
            if case .welcome = message { try context.pipeline.syncOperations.allowFrames(upTo: Self.frameLimit) }
            driver.received(message, on: self)
        } catch {
            self.error = .broken("\(error)")
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is FramePart { driver.heard(self) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.error == nil { self.error = error as? TransportError }
    }

    func channelInactive(context: ChannelHandlerContext) { driver.closed(self, error) }

    /// - Returns: whether this is the first since the last flush.
    func append(_ message: Twinline_Seat_V1_SeatMessage) -> Bool {
        let isFirst = outgoing.readableBytes == 0
        do {
            outgoing.writeFrame(try message.serializedBytes())
        } catch {
            channel.close(promise: nil)
        }
        return isFirst && outgoing.readableBytes > 0
    }

    func flush() {
        guard outgoing.readableBytes > 0 else { return }
        channel.writeAndFlush(outgoing, promise: nil)
        // TLS has taken the bytes by now, so the room is used again.
        if outgoing.capacity > 16 << 10 {
            outgoing = channel.allocator.buffer(capacity: 1024)
        } else {
            outgoing.clear()
        }
    }

    func close() { channel.close(promise: nil) }
}
