import Glibc
import NIOCore
import NIOPosix

/// What bounds one connection in time and memory.
package struct ConnectionOptions: Sendable {
    /// From the first byte to a known peer. Long for a machine under load; without it a silent stranger holds a
    /// connection for ever.
    package var handshakeTimeout = TimeAmount.seconds(5)
    /// Bytes taken from a peer before it is known. A chain of three certificates is about 2 KiB.
    package var handshakeLimit = 64 * 1024
    /// The longest frame until the protocol's own handlers allow more (`FrameDecoder.limit`).
    package var firstFrameLimit = 64 * 1024
    /// Bytes that wait because the peer reads too slowly. Over it the connection is closed: it is the only bound of
    /// what a stopped peer can make this process keep.
    package var unsentLimit = 64 * 1024 * 1024
    /// How long the system keeps trying to deliver sent bytes before it ends the connection. Nil: as long as the system
    /// likes, some 15 minutes; heartbeats are then the only ones to notice.
    package var deliveryTimeout: TimeAmount?

    package init() {}
}

extension ChannelOptions {
    static let deliveryTimeout = ChannelOptions.Types.SocketOption(
        level: .tcp, name: NIOBSDSocket.Option(rawValue: CInt(TCP_USER_TIMEOUT)))
}

extension TimeAmount {
    var wholeMilliseconds: Int { Int(nanoseconds / 1_000_000) }
}
