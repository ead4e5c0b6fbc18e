import NIOCore
import NIOEmbedded
import NIOPosix
import TestSupport
import Testing

@testable import Transport

/// Those whom nobody knows yet: how many may wait, how they take turns, and who has to go.
@Suite struct StrangerTests {
    private func address(_ text: String) throws -> Lobby.Origin {
        Lobby.Origin(try SocketAddress(ipAddress: text, port: 1000))
    }

    @Test("when the lobby is full, the oldest of the largest crowd has to go, and nobody else")
    func eviction() throws {
        let lobby = Lobby(limit: 4)
        let evicted = (0..<5).map { _ in EvictionRecorder() }
        let channels = try evicted.map { recorder in
            let channel = EmbeddedChannel()
            try channel.pipeline.syncOperations.addHandler(recorder)
            return channel
        }
        // One network of an IPv6 provider's customer counts as one, whatever address is taken there.
        let origins = try ["10.0.0.1", "2001:db8::1", "2001:db8::2", "2001:db8::3", "10.0.0.2"].map(address)
        for (channel, origin) in zip(channels, origins) { lobby.enter(channel, from: origin) }
        #expect(lobby.count == 4)
        #expect(evicted.indices.filter { evicted[$0].count > 0 } == [1])
        for (channel, origin) in zip(channels, origins) { lobby.leave(channel, from: origin) }
        #expect(lobby.count == 0)
    }

    @Test("a stranger beyond the limit pushes out the one who has waited longest, and a known peer stays")
    func limit() async throws {
        var options = ConnectionOptions.patient
        options.strangerLimit = 2
        let echo = try await Echo(options: options)
        let known = try await Caller(echo.address)
        _ = await echo.next()
        let strangers = [try await echo.connectRaw(), try await echo.connectRaw()]
        let third = try await echo.connectRaw()
        try #require(await echo.next() == .refused(.crowdedOut(limit: 2)))
        try await strangers[0].untilClosed()
        try await known.send([1])
        #expect(try await known.next() == [1])
        for channel in [strangers[1], third, known.channel] { try await channel.close() }
        await echo.listener.close()
    }

    @Test("a thousand seats that come back at once all get in, past strangers who only wait")
    func returning() async throws {
        OpenFiles.raiseLimit()
        let echo = try await Echo()
        let strangers = try await withThrowingTaskGroup(of: (any Channel).self) { group in
            for _ in 0..<200 { group.addTask { try await echo.connectRaw() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let tls = try Authority.hotline.client()
        let callers = try await withThrowingTaskGroup(of: Caller.self) { group in
            for _ in 0..<1000 {
                group.addTask { try await Caller(echo.address, tls: tls, connectTimeout: .hours(1)) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for caller in callers {
            try await caller.send([7])
            #expect(try await caller.next() == [7])
        }
        for channel in callers.map(\.channel) + strangers { try? await channel.close() }
        await echo.listener.close()
    }

    @Test("one certificate may have so many connections, and those that it has stay")
    func connectionsPerPeer() async throws {
        var options = ConnectionOptions.patient
        options.connectionsPerPeer = 2
        let echo = try await Echo(options: options)
        let callers = [try await Caller(echo.address), try await Caller(echo.address)]
        for _ in callers { _ = await echo.next() }
        let third = try await Caller(echo.address)
        let fault = PeerFault.tooManyConnections(limit: 2), name = "twinline://hotline/seat/017"
        try #require(await echo.next() == .refused(.peerRefused(fault, of: name)))
        await #expect(throws: TransportError.refusedByPeer(alert: "\(fault)", own: name)) { try await third.next() }
        let other = try await Caller(echo.address, tls: Authority.hotline.client("ops-anna"))
        for caller in callers + [other] {
            try await caller.send([1])
            #expect(try await caller.next() == [1])
        }
        // One that leaves makes room.
        try await callers[0].channel.close()
        try await eventually { echo.connections.count(of: Identity(pair: "hotline", role: .seat("017"))) <= 1 }
        let fourth = try await Caller(echo.address)
        try await fourth.send([2])
        #expect(try await fourth.next() == [2])
        for caller in [callers[1], other, fourth] { try await caller.channel.close() }
        await echo.listener.close()
    }

    @Test("handshakes let the loop do everything else after some milliseconds, and none is forgotten")
    func turns() throws {
        let loop = EmbeddedEventLoop()
        var now = NIODeadline.uptimeNanoseconds(1)
        let turns = HandshakeTurns(loop) { now }
        var done: [Int] = []
        for number in 0..<3 {
            turns.take {
                now = now + .milliseconds(5)
                done.append(number)
            }
        }
        #expect(done == [0])
        for expected in [[0, 1], [0, 1, 2]] {
            loop.advanceTime(by: .milliseconds(1))
            #expect(done == expected)
        }
        try loop.syncShutdownGracefully()
    }
}

private final class EvictionRecorder: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var count = 0

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        if event is Eviction { count += 1 }
        promise?.succeed()
    }
}
