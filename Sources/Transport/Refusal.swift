import NIOCore
import Planted

/// Why a peer is not wanted, told in a frame of its own, on any of the protocols: a TLS alert exists only for what is
/// wrong with a certificate itself, and none can be sent once the handshake is done.
///
///     offset  size  field
///          0     4  0xFFFFFFFF, in place of a frame's length
///          4     2  number of bytes that follow, at most 512
///          6     …  the reason, printable ASCII
///
/// Nothing follows it.
enum Refusal {
    static let mark = UInt32.max
    static let limit = 512

    static func frame(_ reason: String, _ allocator: ByteBufferAllocator) -> ByteBuffer {
        let text = printable(reason.utf8)
        var frame = allocator.buffer(capacity: 6 + text.utf8.count)
        frame.writeInteger(mark)
        frame.writeInteger(UInt16(text.utf8.count))
        frame.writeString(text)
        return frame
    }

    /// The reason, once it is there as a whole, from what follows the mark.
    static func reason(in bytes: ByteBuffer) throws(TransportError) -> String? {
        guard let count = bytes.getInteger(at: bytes.readerIndex, as: UInt16.self).map(Int.init) else { return nil }
        guard count <= limit else { throw .frameTooLong(length: count, limit: limit) }
        guard let text = bytes.getBytes(at: bytes.readerIndex + 2, length: count) else { return nil }
        return printable(text)
    }

    /// As it may stand in a log, whoever wrote it.
    private static func printable(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.prefix(limit).map { (0x20...0x7E).contains($0) ? $0 : 0x3F }, as: UTF8.self)
    }
}

extension PeerFault {
    /// By itself, in a moment.
    fileprivate var passes: Bool { if case .notYetReady = self { true } else { false } }
}

extension TLSHandler {
    /// The last words: the alert that says why, if there is one, and to a peer that TLS finds nothing wrong with a
    /// frame in its place.
    /// - Returns: whether the peer has something to read.
    func tell(_ context: ChannelHandlerContext, _ error: TransportError) -> Bool {
        var isRefusal = false
        if case .peerRefused(let fault, _) = error, !fault.passes {
            isRefusal = true
            if maySend, !planted("refuseWithoutAWord") {
                var frame = Refusal.frame("\(fault)", context.channel.allocator)
                while frame.readableBytes > 0, (try? session.encryptRecord(&frame)) != nil {}
            }
        }
        session.end()
        sendCiphertext(context)
        return isRefusal && context.channel.isActive
    }
}

/// Sent down a pipeline: the peer is known, and not wanted any more.
package struct Dismissal: Sendable {
    let reason: String

    /// Tells the peer why, and ends the connection; from any thread.
    package static func of(_ channel: any Channel, because reason: String) {
        channel.triggerUserOutboundEvent(Dismissal(reason: reason), promise: nil)
    }
}
