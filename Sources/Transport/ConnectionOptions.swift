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
    /// How many may wait at a listener at once before they are known. One more, and the oldest of those from where most
    /// come is closed; so a thousand seats that come back together all get in, and a flood only stands in its own way.
    package var strangerLimit = 2048
    /// How many connections one certificate may have at a listener.
    package var connectionsPerPeer = 4096
    /// The longest frame until the protocol's own handlers allow more (`FrameDecoder.limit`).
    package var firstFrameLimit = 64 * 1024
    /// How long a known peer may take for its first frame. Nil: it need not say anything.
    package var firstFrameTimeout: TimeAmount?
    /// How long a frame that began may take, and a second more for each `frameRate` bytes of it. Without it a frame
    /// that drips in holds what came of it for ever.
    package var frameTimeout = TimeAmount.seconds(10)
    /// Bytes a second: slower than any route that a pair could live with.
    package var frameRate = 64 * 1024
    /// Bytes that wait because the peer reads too slowly. Over it the connection is closed: it is the only bound of
    /// what a stopped peer can make this process keep.
    package var unsentLimit = 64 * 1024 * 1024
    /// How long the system keeps trying to deliver sent bytes before it ends the connection. Nil: as long as the system
    /// likes, some 15 minutes; heartbeats are then the only ones to notice.
    package var deliveryTimeout: TimeAmount?
    /// The system asks now and then whether the other machine still has the connection. For those over which nothing
    /// may be said for long: a node whose pair has moved to another witness asks the one at that address nothing, and
    /// would think for ever that it is there, although its machine has lost its power.
    package var isKeptAlive = false

    package init() {}
}

extension ChannelOptions {
    static let deliveryTimeout = tcp(TCP_USER_TIMEOUT)
    /// Seconds of silence before the system asks whether the other machine still has the connection.
    static let keepIdle = tcp(TCP_KEEPIDLE)
    /// Seconds until it asks again.
    static let keepInterval = tcp(TCP_KEEPINTVL)
    /// How often it asks in vain before it ends the connection.
    static let keepCount = tcp(TCP_KEEPCNT)

    private static func tcp(_ name: CInt) -> ChannelOptions.Types.SocketOption {
        ChannelOptions.Types.SocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: name))
    }
}

extension TimeAmount {
    var wholeMilliseconds: Int { Int(nanoseconds / 1_000_000) }
}
