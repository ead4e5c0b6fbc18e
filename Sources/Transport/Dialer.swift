import NIOCore
import NIOPosix

/// Makes connections to peers that must be who they are expected to be.
package struct Dialer: Sendable {
    /// Installs the protocol's handlers behind the frame decoder, on the channel's event loop. The handlers see
    /// `channelActive` next.
    package typealias Install = @Sendable (any Channel, PeerCertificate) throws -> Void

    /// Those that were dialled, by this dialer and its copies.
    package let connections: OpenConnections
    package var options: ConnectionOptions
    /// From the first packet to an accepted or refused connection; the handshake has its own limit.
    package var connectTimeout: TimeAmount

    package init(
        _ connections: OpenConnections, options: ConnectionOptions = ConnectionOptions(),
        connectTimeout: TimeAmount = .seconds(1)
    ) {
        precondition(connections.context.side == .client, "a dialer needs a client's context")
        (self.connections, self.options, self.connectTimeout) = (connections, options, connectTimeout)
    }

    /// For connections whose files are read once.
    package init(
        tls: TLSContext, options: ConnectionOptions = ConnectionOptions(), connectTimeout: TimeAmount = .seconds(1)
    ) {
        self.init(OpenConnections(tls), options: options, connectTimeout: connectTimeout)
    }

    /// Connects, shakes hands, and makes sure that the peer is `expected`.
    ///
    /// The future fails with a `TransportError` only. Its success means that the peer is known, not yet that the peer
    /// has let this side in: TLS 1.3 tells a client so with the server's first message.
    ///
    /// - Parameter local: the address to dial from, where the route matters.
    package func dial(
        _ address: SocketAddress, from local: SocketAddress? = nil, on eventLoop: any EventLoop,
        expecting expected: Identity.Role, install: @escaping Install
    ) -> EventLoopFuture<any Channel> {
        let ready = eventLoop.makePromise(of: (any Channel).self)
        var bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try guardEntry(of: channel, expected, install, ready)
                }
            }
        if let local { bootstrap = bootstrap.bind(to: local) }
        if options.isKeptAlive {
            bootstrap = bootstrap.channelOption(.socketOption(.so_keepalive), value: 1)
                .channelOption(ChannelOptions.keepIdle, value: 5)
                .channelOption(ChannelOptions.keepInterval, value: 1)
                .channelOption(ChannelOptions.keepCount, value: 5)
        }
        if let timeout = options.deliveryTimeout {
            bootstrap = bootstrap.channelOption(ChannelOptions.deliveryTimeout, value: timeout.wholeMilliseconds)
        }
        bootstrap.connect(to: address).whenFailure { error in
            ready.fail(Self.verdict(on: error, dialling: address))
        }
        return ready.futureResult
    }

    private func guardEntry(
        of channel: any Channel, _ expected: Identity.Role, _ install: @escaping Install,
        _ ready: EventLoopPromise<any Channel>
    ) throws {
        let admission = TLSAdmission(
            admit: { (channel, peer) throws(TransportError) in
                let role = peer.certificate.identity.role
                guard role == expected else {
                    throw .peerRefused(
                        .wrongRole(role, expected: "\(expected)"), of: "\(peer.certificate.identity)")
                }
                do {
                    let own = connections.context.own.identity
                    try channel.pipeline.syncOperations.addHandler(FrameDecoder(options, own: own))
                    try install(channel, peer.certificate)
                } catch {
                    throw error as? TransportError ?? .cannotDial(address: "the peer", reason: "\(error)")
                }
                ready.succeed(channel)
            },
            refuse: { ready.fail($0) })
        try connections.enter(channel, options, admission)
    }

    private static func verdict(on error: any Error, dialling address: SocketAddress) -> TransportError {
        if let error = error as? TransportError { return error }
        let failure = SystemFailure(error)
        if failure.isRefusal { return .connectionRefused(address: address.numeric) }
        if failure.isSilence { return .noAnswer(address: address.numeric, reason: failure.text) }
        return .cannotDial(address: address.numeric, reason: failure.text)
    }
}
