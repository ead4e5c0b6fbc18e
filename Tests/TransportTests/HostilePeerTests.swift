import NIOCore
import NIOPosix
import Testing

@testable import Transport

/// Peers that are broken, slow or bad must cost little and be named.
@Suite struct HostilePeerTests {
    @Test("a connection that is cut without a goodbye is told from one that ends well")
    func truncation() async throws {
        let echo = try await Echo()
        let caller = try await Caller(echo.address)
        _ = await echo.next()
        // Past the TLS handler, which would say goodbye.
        try await caller.channel.pipeline.context(handlerType: TLSHandler.self).flatMap { context in
            let closed = context.eventLoop.makePromise(of: Void.self)
            context.close(promise: closed)
            return closed.futureResult
        }.get()
        #expect(await echo.next() == .ended(.truncated))
        await echo.listener.close()
    }

    @Test("garbage in place of TLS is refused before anything is accepted")
    func garbage() async throws {
        let echo = try await Echo()
        let raw = try await echo.connectRaw()
        try await raw.writeAndFlush(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
        guard case .refused(.handshakeBroken(let reason)) = await echo.next() else {
            Issue.record("not refused")
            return
        }
        #expect(reason.contains("http request"))
        await echo.listener.close()
    }

    @Test("a stranger who says nothing is sent away when the handshake's time is up")
    func silence() async throws {
        var options = ConnectionOptions()
        options.handshakeTimeout = .milliseconds(20)
        let echo = try await Echo(options: options)
        let raw = try await echo.connectRaw()
        #expect(await echo.next() == .refused(.handshakeTimedOut(seconds: 0)))
        try await raw.untilClosed()
        await echo.listener.close()
    }

    @Test("a handshake that never ends is cut off at its limit")
    func longHandshake() async throws {
        var options = ConnectionOptions.patient
        options.handshakeLimit = 1000
        let echo = try await Echo(options: options)
        let raw = try await echo.connectRaw()
        // A record that promises a ClientHello of 16,000 bytes, and a part of it.
        let start: [UInt8] = [0x16, 3, 1, 0x3E, 0x80, 1, 0, 0x3E, 0x7C, 3, 3]
        try await raw.writeAndFlush(ByteBuffer(bytes: start + [UInt8](repeating: 7, count: 2000)))
        #expect(await echo.next() == .refused(.handshakeTooLong(limit: 1000)))
        await echo.listener.close()
    }

    @Test("a frame over the limit ends the connection, and half a frame is waited for")
    func frames() async throws {
        let echo = try await Echo()
        let caller = try await Caller(echo.address)
        _ = await echo.next()
        try await caller.channel.writeAndFlush(ByteBuffer(bytes: [0, 0, 0]))
        try await caller.channel.writeAndFlush(ByteBuffer(bytes: [2, 9]))
        try await caller.channel.writeAndFlush(ByteBuffer(bytes: [8, 0xFF, 0xFF, 0xFF, 0xFE]))
        #expect(try await caller.next() == [9, 8])
        #expect(await echo.next() == .ended(.frameTooLong(length: 0xFFFF_FFFE, limit: 65_536)))
        #expect(try await caller.next() == nil)
        await echo.listener.close()
    }

    @Test("a peer that stops reading is cut off before what waits for it fills the memory")
    func slowReader() async throws {
        var options = ConnectionOptions.patient
        options.unsentLimit = 1_000_000
        let echo = try await Echo(options: options)
        let caller = try await Caller(echo.address)
        _ = await echo.next()
        try await caller.channel.setOption(.autoRead, value: false).get()
        var frame = ByteBuffer()
        frame.writeFrame([UInt8](repeating: 1, count: 60_000))
        var sent = 0
        while sent < 500, caller.channel.isActive {
            try? await caller.channel.writeAndFlush(frame)
            sent += 1
        }
        guard case .ended(.unsentTooLong(let bytes, limit: 1_000_000)) = await echo.next() else {
            Issue.record("not cut off")
            return
        }
        #expect(bytes < 2_000_000)
        try? await caller.channel.close()
        await echo.listener.close()
    }
}
