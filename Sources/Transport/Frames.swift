import NIOCore

/// Cuts the stream into frames: a 4-byte big-endian length, then that many bytes.
///
/// Payloads go on as slices of the bytes as they came, without a copy, unless a frame arrived in pieces. A slice keeps
/// the whole piece alive: decode it at once (from its `readableBytesSpan`, without a copy), or copy what is to stay.
package final class FrameDecoder: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer

    /// The longest payload from now on, in bytes. Small until the peer's first frame is accepted.
    package var limit: Int
    private var rest = ByteBuffer()

    package init(limit: Int) { self.limit = limit }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if rest.readableBytes == 0 { rest = bytes } else { rest.writeBuffer(&bytes) }
        do throws(TransportError) {
            while let payload = try next() { context.fireChannelRead(wrapInboundOut(payload)) }
        } catch {
            rest = ByteBuffer()
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
        if rest.readableBytes == 0 {
            rest = ByteBuffer()
        } else if rest.readerIndex > 64 * 1024 {
            rest.discardReadBytes()
        }
    }

    private func next() throws(TransportError) -> ByteBuffer? {
        guard let declared = rest.getInteger(at: rest.readerIndex, as: UInt32.self) else { return nil }
        let length = Int(declared)
        guard length <= limit else { throw .frameTooLong(length: length, limit: limit) }
        guard let payload = rest.getSlice(at: rest.readerIndex + 4, length: length) else { return nil }
        rest.moveReaderIndex(forwardBy: 4 + length)
        return payload
    }
}

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
