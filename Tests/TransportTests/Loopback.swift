import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Transport

/// A listener on 127.0.0.1 that sends every frame back, and what happened at it.
final class Echo: Sendable {
    enum Event: Equatable, Sendable {
        case accepted(Identity, ApplicationProtocol)
        case refused(TransportError)
        case ended(TransportError?)
    }

    let listener: Listener
    let connections: OpenConnections
    private let log: AsyncStream<Event>
    private let append: AsyncStream<Event>.Continuation

    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    init(
        _ tls: TLSContext? = nil, options: ConnectionOptions = .patient,
        addresses: [String] = ["127.0.0.1"], admit: (@Sendable (Identity) throws(PeerFault) -> Void)? = nil
    ) async throws {
        let (log, append) = AsyncStream.makeStream(of: Event.self)
        (self.log, self.append) = (log, append)
        connections = OpenConnections(try tls ?? Authority.hotline.server())
        listener = try await Listener.bind(
            addresses.map { try SocketAddress(ipAddress: $0, port: 0) }, on: Self.group,
            connections, options: options,
            refused: { append.yield(.refused($1)) },
            accept: { channel, identity, agreed in
                try admit?(identity)
                append.yield(.accepted(identity, agreed))
                try channel.pipeline.syncOperations.addHandler(EchoHandler { append.yield(.ended($0)) })
            })
    }

    var address: SocketAddress { listener.addresses[0] }

    /// Nil where none comes, so that a test fails that waits in vain.
    func next() async -> Event? {
        let limit = Self.group.next().scheduleTask(in: .init(Pace.inVain)) { [append] in append.finish() }
        defer { limit.cancel() }
        for await event in log { return event }
        return nil
    }

    /// A raw TCP connection, to misbehave with.
    func connectRaw() async throws -> any Channel {
        try await ClientBootstrap(group: Self.group).connect(to: address).get()
    }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let ended: (TransportError?) -> Void
    private var error: TransportError?

    init(_ ended: @escaping (TransportError?) -> Void) { self.ended = ended }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let payload = unwrapInboundIn(data)
        var frame = context.channel.allocator.buffer(capacity: payload.readableBytes + 4)
        frame.writeFrame { $0.writeImmutableBuffer(payload) }
        context.write(wrapOutboundOut(frame), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { self.error = error as? TransportError }
    func channelInactive(context: ChannelHandlerContext) { ended(error) }
}

/// A dialled connection whose frames and end can be waited for.
final class Caller: Sendable {
    let channel: any Channel
    /// As it was when the connection was made.
    let peer: PeerCertificate
    private let frames: AsyncThrowingStream<[UInt8], any Error>
    private let append: AsyncThrowingStream<[UInt8], any Error>.Continuation

    convenience init(
        _ address: SocketAddress, tls: TLSContext? = nil, options: ConnectionOptions = .patient,
        expecting role: Identity.Role = .node(.a), connectTimeout: TimeAmount = .hours(1)
    ) async throws {
        try await self.init(
            address, OpenConnections(try tls ?? Authority.hotline.client()), options: options, expecting: role,
            connectTimeout: connectTimeout)
    }

    init(
        _ address: SocketAddress, _ connections: OpenConnections, options: ConnectionOptions = .patient,
        expecting role: Identity.Role = .node(.a), connectTimeout: TimeAmount = .hours(1)
    ) async throws {
        let (frames, append) = AsyncThrowingStream.makeStream(of: [UInt8].self)
        (self.frames, self.append) = (frames, append)
        let dialer = Dialer(connections, options: options, connectTimeout: connectTimeout)
        let peer = Mutex<PeerCertificate?>(nil)
        channel = try await dialer.dial(address, on: Echo.group.next(), expecting: role) { channel, certificate in
            peer.withLock { $0 = certificate }
            try channel.pipeline.syncOperations.addHandler(Collector(append))
        }.get()
        self.peer = try #require(peer.withLock { $0 })
    }

    func send(_ payload: [UInt8]) async throws {
        var frame = ByteBuffer()
        frame.writeFrame(payload)
        try await channel.writeAndFlush(frame)
    }

    /// The next frame; nil once the connection has ended well. Throws what ended it otherwise, or that nothing comes.
    func next() async throws -> [UInt8]? {
        let limit = channel.eventLoop.scheduleTask(in: .init(Pace.inVain)) { [append] in
            append.finish(throwing: NothingCame())
        }
        defer { limit.cancel() }
        for try await frame in frames { return frame }
        return nil
    }
}

struct NothingCame: Error {}

extension Channel {
    /// Waits until it is closed, but not for ever.
    func untilClosed() async throws {
        let closed = eventLoop.makePromise(of: Void.self)
        let limit = eventLoop.scheduleTask(in: .init(Pace.inVain)) { closed.fail(NothingCame()) }
        closeFuture.cascade(to: closed)
        defer { limit.cancel() }
        try await closed.futureResult.get()
    }
}

private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let append: AsyncThrowingStream<[UInt8], any Error>.Continuation

    init(_ append: AsyncThrowingStream<[UInt8], any Error>.Continuation) { self.append = append }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        append.yield(Array(unwrapInboundIn(data).readableBytesView))
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { append.finish(throwing: error) }
    func channelInactive(context: ChannelHandlerContext) { append.finish() }
}

extension ConnectionOptions {
    /// For tests that are not about the handshake's time: a crowded machine must not make one of them.
    static var patient: ConnectionOptions {
        var options = ConnectionOptions()
        options.handshakeTimeout = .minutes(10)
        return options
    }
}
