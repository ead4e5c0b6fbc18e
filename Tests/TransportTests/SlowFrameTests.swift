import NIOCore
import NIOEmbedded
import Testing

@testable import Transport

/// A frame's time, on a clock that the test moves.
struct SlowFrameTests {
    private final class Errors: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var errors: [TransportError] = []
        var frames = 0, parts = 0
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is FramePart { parts += 1 }
        }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { frames += 1 }
        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let error = error as? TransportError { errors.append(error) }
        }
    }

    private let channel = EmbeddedChannel()
    private let errors = Errors()

    private func install(_ options: ConnectionOptions) throws {
        try channel.pipeline.syncOperations.addHandlers(FrameDecoder(options), errors)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    private func bytes(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

    @Test("a frame that drips in ends the connection when its time is over, however often something comes")
    func drip() throws {
        try install(ConnectionOptions())
        try bytes([0, 0, 0, 200])
        for second in 0..<10 {
            #expect(channel.isActive, "after \(second) s")
            try bytes([1])
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        }
        #expect(errors.errors == [.frameTimedOut(seconds: 10)])
        #expect(!channel.isActive)
    }

    @Test("a long frame has more time, and each frame its own")
    func long() throws {
        var options = ConnectionOptions()
        options.firstFrameLimit = 1 << 20
        try install(options)
        // 16 s more for a mebibyte.
        try bytes([0, 16, 0, 0])
        channel.embeddedEventLoop.advanceTime(by: .seconds(25))
        try bytes([UInt8](repeating: 0, count: 1 << 20) + [0, 0])
        #expect(errors.frames == 1)
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(channel.isActive)
        try bytes([0, 0])
        #expect(errors.frames == 2)
        channel.embeddedEventLoop.advanceTime(by: .seconds(100))
        #expect(channel.isActive && errors.errors == [])
        _ = try channel.finish()
    }

    @Test("whoever listens is told of each part of a frame that is not whole yet")
    func parts() throws {
        try install(ConnectionOptions())
        try bytes([0, 0, 0, 4, 1, 2, 3, 4])
        #expect(errors.frames == 1 && errors.parts == 0)
        try bytes([0, 0])
        try bytes([0, 4, 1, 2, 3])
        #expect(errors.frames == 1 && errors.parts == 2)
        try bytes([4])
        #expect(errors.frames == 2 && errors.parts == 2)
        _ = try channel.finish()
    }

    @Test("who has to begin and does not is let go, and who does not have to may be silent")
    func first() throws {
        var options = ConnectionOptions()
        options.firstFrameTimeout = .seconds(3)
        try install(options)
        channel.embeddedEventLoop.advanceTime(by: .seconds(3))
        #expect(errors.errors == [.frameTimedOut(seconds: 3)] && !channel.isActive)

        let silent = EmbeddedChannel(handler: FrameDecoder(ConnectionOptions()))
        try silent.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        silent.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(silent.isActive)
        _ = try silent.finish()
    }

    @Test("what comes behind a frame that ends the connection is not looked at")
    func behind() throws {
        final class Closer: ChannelInboundHandler {
            typealias InboundIn = ByteBuffer
            var frames = 0
            func channelRead(context: ChannelHandlerContext, data: NIOAny) {
                frames += 1
                context.close(promise: nil)
            }
        }
        let closer = Closer()
        try channel.pipeline.syncOperations.addHandlers(FrameDecoder(ConnectionOptions()), closer)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try bytes([0, 0, 0, 1, 7, 0, 0, 0, 1, 8])
        #expect(closer.frames == 1)
    }

    @Test("a refusal is heard in whatever pieces it comes, and only its printable part")
    func refusal() throws {
        let channel = EmbeddedChannel()
        var frame = Refusal.frame("two with one certificate\n", channel.allocator)
        try channel.pipeline.syncOperations.addHandlers(FrameDecoder(ConnectionOptions()), errors)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        while let byte = frame.readBytes(length: 1) { try channel.writeInbound(ByteBuffer(bytes: byte)) }
        #expect(errors.errors == [.refusedByPeer(alert: "two with one certificate?", own: nil)])
        #expect(!channel.isActive)
    }

    @Test("a refusal that is too long is none")
    func longRefusal() throws {
        try install(ConnectionOptions())
        try bytes([0xFF, 0xFF, 0xFF, 0xFF, 2, 1])
        #expect(errors.errors == [.frameTooLong(length: 513, limit: 512)])
    }
}
