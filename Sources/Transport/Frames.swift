import NIOCore
import Planted

/// Cuts the stream into frames: a 4-byte big-endian length, then that many bytes.
///
/// Payloads go on as slices of the bytes as they came, without a copy, unless a frame arrived in pieces. A slice keeps
/// the whole piece alive: decode it at once (from its `readableBytesSpan`, without a copy), or copy what is to stay.
///
/// It holds one frame at most, and the piece that came last; a frame that does not end in time ends the connection, and
/// so does a `Refusal`.
package final class FrameDecoder: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer

    /// The longest payload from now on, in bytes. Small until the peer's first frame is accepted.
    package var limit: Int
    private let options: ConnectionOptions
    private let own: Identity?
    private let refused: ((TransportError) -> Void)?
    private var rest = ByteBuffer()
    /// The frame that is still to come as a whole: how many came before it, and since when it is awaited.
    private var awaited: (frame: UInt64, since: NIODeadline)?
    private var frames: UInt64 = 0
    private var deadline: Scheduled<Void>?
    private var isOver = false

    /// - Parameter own: this side's name.
    /// - Parameter refused: also told when the peer refuses this side.
    package init(
        _ options: ConnectionOptions, own: Identity? = nil, refused: ((TransportError) -> Void)? = nil
    ) {
        (self.options, self.own, self.refused, limit) = (options, own, refused, options.firstFrameLimit)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        if options.firstFrameTimeout != nil { expect(context) }
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        var bytes = unwrapInboundIn(data)
        if rest.readableBytes == 0 { rest = bytes } else { rest.writeBuffer(&bytes) }
        do throws(TransportError) {
            // A handler that closes the connection wants none of what came behind.
            while !isOver, context.channel.isActive, let payload = try next() {
                context.fireChannelRead(wrapInboundOut(payload))
            }
        } catch {
            end(context, error)
        }
        if isOver || rest.readableBytes == 0 {
            rest = ByteBuffer()
        } else {
            if rest.readerIndex > 64 * 1024 { rest.discardReadBytes() }
            if awaited?.frame != frames { expect(context) }
            context.fireUserInboundEventTriggered(FramePart())
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    private func next() throws(TransportError) -> ByteBuffer? {
        guard let declared = rest.getInteger(at: rest.readerIndex, as: UInt32.self) else { return nil }
        if declared == Refusal.mark { try hearRefusal() }
        let length = Int(declared)
        guard length <= limit || declared == Refusal.mark else { throw .frameTooLong(length: length, limit: limit) }
        guard let payload = rest.getSlice(at: rest.readerIndex + 4, length: length) else { return nil }
        rest.moveReaderIndex(forwardBy: 4 + length)
        frames += 1
        return payload
    }

    private func hearRefusal() throws(TransportError) {
        var words = rest
        words.moveReaderIndex(forwardBy: 4)
        guard let reason = try Refusal.reason(in: words) else { return }
        let error = TransportError.refusedByPeer(alert: reason, own: own.map { "\($0)" })
        refused?(error)
        throw error
    }

    private func end(_ context: ChannelHandlerContext, _ error: TransportError) {
        finish()
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    private func finish() {
        isOver = true
        deadline?.cancel()
    }

    // MARK: time

    /// At most one timer, whatever comes and goes meanwhile.
    private func expect(_ context: ChannelHandlerContext) {
        awaited = (frames, context.eventLoop.now)
        if deadline == nil, !planted("frameMayDripIn") { look(context, in: allowance) }
    }

    private func look(_ context: ChannelHandlerContext, in delay: TimeAmount) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.deadline = nil
            guard let awaited = self.awaited, awaited.frame == self.frames else { return }
            let left = awaited.since + self.allowance - context.eventLoop.now
            if left > .zero { return self.look(context, in: left) }
            self.end(context, .frameTimedOut(seconds: self.allowance.nanoseconds / 1_000_000_000))
        }
    }

    /// For the frame that is awaited.
    private var allowance: TimeAmount {
        if rest.readableBytes == 0, frames == 0, let first = options.firstFrameTimeout { return first }
        let declared = rest.getInteger(at: rest.readerIndex, as: UInt32.self).map { min(Int($0), limit) } ?? 0
        return options.frameTimeout + .seconds(Int64(declared / options.frameRate))
    }
}

/// An event: more has come of a frame that is not whole yet. The peer lives, however long its message takes.
package struct FramePart: Sendable {}

extension ByteBuffer {
    /// Appends a frame; several may share a buffer, and so a TLS record.
    package mutating func writeFrame(_ payload: [UInt8]) {
        reserveCapacity(minimumWritableBytes: 4 + payload.count)
        writeInteger(UInt32(payload.count))
        writeBytes(payload)
    }

    /// Appends a frame whose payload `write` appends.
    package mutating func writeFrame(_ write: (inout ByteBuffer) -> Void) {
        let start = writerIndex
        writeInteger(UInt32(0))
        write(&self)
        setInteger(UInt32(writerIndex - start - 4), at: start)
    }
}

extension ChannelPipeline.SynchronousOperations {
    /// Allows longer frames, once the peer has shown that it speaks the protocol.
    package func allowFrames(upTo limit: Int) throws {
        try handler(type: FrameDecoder.self).limit = limit
    }
}
