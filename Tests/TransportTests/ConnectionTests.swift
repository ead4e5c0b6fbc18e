import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Transport

/// Listener and dialer over 127.0.0.1.
@Suite struct ConnectionTests {
    @Test("frames of any size come back as they were sent, in order")
    func echo() async throws {
        let echo = try await Echo()
        let caller = try await Caller(echo.address)
        #expect(await echo.next() == .accepted(Identity(pair: "hotline", role: .seat("017")), .seat))
        for size in [0, 1, 5, 100, 16_384, 65_000] {
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try await caller.send(payload)
            #expect(try await caller.next() == payload)
        }
        try await caller.channel.close()
        #expect(await echo.next() == .ended(nil))
        await echo.listener.close()
    }

    @Test("the system is to notice that the machine at the other end is gone, though nothing is sent")
    func keptAlive() async throws {
        let echo = try await Echo()
        var options = ConnectionOptions.patient
        options.isKeptAlive = true
        let caller = try await Caller(echo.address, options: options)
        #expect(try await caller.channel.getOption(.socketOption(.so_keepalive)).get() == 1)
        let seconds = try await caller.channel.getOption(ChannelOptions.keepIdle).get()
        #expect(seconds == 5)
        try await caller.channel.close()
        await echo.listener.close()
    }

    @Test("the system is to give up what it can't deliver")
    func deliveryTimeout() async throws {
        let echo = try await Echo()
        var options = ConnectionOptions.patient
        options.deliveryTimeout = .seconds(5)
        let caller = try await Caller(echo.address, options: options)
        let milliseconds = try await caller.channel.getOption(ChannelOptions.deliveryTimeout).get()
        #expect(milliseconds == 5000)
        try await caller.channel.close()
        await echo.listener.close()
    }

    @Test("a listener binds several addresses and reports the real ports")
    func addresses() async throws {
        let echo = try await Echo(addresses: ["127.0.0.1", "127.0.0.2", "::1"])
        #expect(echo.listener.addresses.map(\.ipAddress) == ["127.0.0.1", "127.0.0.2", "::1"])
        for address in echo.listener.addresses {
            #expect(address.port != 0)
            let caller = try await Caller(address)
            try await caller.send([1])
            #expect(try await caller.next() == [1])
            try await caller.channel.close()
        }
        await echo.listener.close()
    }

    @Test("an address in use can't be bound, and the error names it")
    func addressInUse() async throws {
        let echo = try await Echo()
        await #expect(
            throws: TransportError.cannotBind(address: echo.address.numeric, reason: "Address already in use")
        ) {
            _ = try await Listener.bind(
                [echo.address], on: Echo.group, OpenConnections(Authority.hotline.server()), refused: { _, _ in },
                accept: { _, _, _ in })
        }
        await echo.listener.close()
    }

    @Test("a port where nobody listens refuses; that is told from silence")
    func refusedOrSilent() async throws {
        let quiet = try QuietPort()
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: quiet.number)
        await #expect(throws: TransportError.connectionRefused(address: address.numeric)) {
            try await Caller(address)
        }
        quiet.release()
        // A socket whose queue of waiting connections is full answers nothing.
        let silent = try Silent()
        defer { withExtendedLifetime(silent) {} }
        await #expect(
            throws: TransportError.noAnswer(address: silent.address.numeric, reason: "within 50 ms")
        ) {
            _ = try await Caller(silent.address, connectTimeout: .milliseconds(50))
        }
    }

    @Test("a dialer refuses a server of another role than expected")
    func wrongServer() async throws {
        let echo = try await Echo()
        let fault = PeerFault.wrongRole(.node(.a), expected: "node/b")
        await #expect(throws: TransportError.peerRefused(fault, of: "twinline://hotline/node/a")) {
            try await Caller(echo.address, expecting: .node(.b))
        }
        await echo.listener.close()
    }

    @Test("a seat can't speak the nodes' protocol")
    func wrongClient() async throws {
        let echo = try await Echo()
        let caller = try await Caller(echo.address, tls: Authority.hotline.client("seat-017", [.node]))
        let fault = PeerFault.wrongRole(.seat("017"), expected: "a node")
        #expect(await echo.next() == .refused(.peerRefused(fault, of: "twinline://hotline/seat/017")))
        // It is told so in our words: TLS has nothing against it.
        let told = TransportError.refusedByPeer(alert: "\(fault)", own: "twinline://hotline/seat/017")
        await #expect(throws: told) { try await caller.next() }
        await echo.listener.close()
    }

    @Test("what the accepting side's own rules refuse is reported with the reason")
    func notAdmitted() async throws {
        let echo = try await Echo(admit: { (_) throws(PeerFault) in throw .notAdmitted("the node is stopping") })
        _ = try? await Caller(echo.address).next()
        let fault = PeerFault.notAdmitted("the node is stopping")
        #expect(await echo.next() == .refused(.peerRefused(fault, of: "twinline://hotline/seat/017")))
        await echo.listener.close()
    }

    @Test("once the listener has the new list, a revoked client is refused, and an open connection of it is ended")
    func renewal() async throws {
        let echo = try await Echo(
            TLSContext(.server, Authority.hotline.files("node-a", revocations: false), protocols: [.seat]))
        let lost = try Authority.hotline.client(cheating: "seat-lost-kept")
        let before = try await Caller(echo.address, tls: lost)
        try await before.send([1])
        #expect(try await before.next() == [1])
        _ = await echo.next()
        let other = try await Caller(echo.address)
        _ = await echo.next()
        echo.connections.renew(try Authority.hotline.server())
        #expect(await echo.next() == .ended(.peerRefused(.revoked, of: "twinline://hotline/seat/lost")))
        await #expect(
            throws: TransportError.refusedByPeer(
                alert: "\(PeerFault.revoked)", own: "twinline://hotline/seat/017")
        ) { try await before.next() }
        let after = try await Caller(echo.address, tls: lost)
        await #expect(
            throws: TransportError.refusedByPeer(
                alert: "certificate revoked", own: "twinline://hotline/seat/017")
        ) { try await after.next() }
        #expect(await echo.next() == .refused(.peerRefused(.revoked, of: "twinline://hotline/seat/lost")))
        try await other.send([2])
        #expect(try await other.next() == [2])
        try await other.channel.close()
        await echo.listener.close()
    }
}
