import NIOCore
import NIOPosix
import Synchronization

/// Listens on one or several addresses and hands over connections whose peer is known.
package final class Listener: Sendable {
    /// Installs the protocol's handlers behind the frame decoder, on the channel's event loop, or throws to refuse the
    /// peer: best a `PeerFault.notAdmitted`. The handlers see `channelActive` next.
    package typealias Accept = @Sendable (any Channel, Identity, ApplicationProtocol) throws -> Void
    /// A connection that did not come about: from where, and why. For the log.
    package typealias Refused = @Sendable (SocketAddress?, TransportError) -> Void

    /// Where it listens, with the real ports where 0 was asked for.
    package let addresses: [SocketAddress]
    private let channels: [any Channel]
    private let door: Door

    /// Binds all of `addresses`, or none.
    /// - Throws: `TransportError.cannotBind` for the first address that can't be had.
    package static func bind(
        _ addresses: [SocketAddress], on group: any EventLoopGroup, tls: TLSContext,
        options: ConnectionOptions = ConnectionOptions(), refused: @escaping Refused, accept: @escaping Accept
    ) async throws(TransportError) -> Listener {
        precondition(tls.side == .server, "a listener needs a server's context")
        let door = Door(tls: tls, options: options, refused: refused, accept: accept)
        var channels: [any Channel] = []
        for address in addresses {
            do {
                channels.append(try await door.bootstrap(on: group).bind(to: address).get())
            } catch {
                for channel in channels { try? await channel.close() }
                throw .cannotBind(address: address.numeric, reason: SystemFailure(error).text)
            }
        }
        return Listener(channels, door)
    }

    private init(_ channels: [any Channel], _ door: Door) {
        addresses = channels.compactMap(\.localAddress)
        (self.channels, self.door) = (channels, door)
    }

    /// The files have changed: new connections use this context from now on, and those whose peer it would not let in
    /// are ended. The others stay.
    package func renew(_ tls: TLSContext) {
        precondition(tls.side == .server, "a listener needs a server's context")
        door.tls.withLock { $0 = tls }
        for channel in door.inside.withLock({ Array($0.values) }) { channel.judgePeerAgain(under: tls) }
    }

    /// Stops listening. Connections that were accepted stay.
    package func close() async {
        for channel in channels { try? await channel.close() }
    }
}

/// What every connection that comes in passes through.
private final class Door: Sendable {
    let tls: Mutex<TLSContext>
    /// All connections that are open, for `renew`.
    let inside = Mutex<[ObjectIdentifier: any Channel]>([:])
    private let options: ConnectionOptions
    private let refused: Listener.Refused
    private let accept: Listener.Accept

    init(
        tls: TLSContext, options: ConnectionOptions, refused: @escaping Listener.Refused,
        accept: @escaping Listener.Accept
    ) {
        self.tls = Mutex(tls)
        (self.options, self.refused, self.accept) = (options, refused, accept)
    }

    func bootstrap(on group: any EventLoopGroup) -> ServerBootstrap {
        var bootstrap = ServerBootstrap(group: group)
            // Room for all seats that come back at once after a failover.
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.guardEntry(of: channel) }
            }
        if let timeout = options.deliveryTimeout {
            bootstrap = bootstrap.childChannelOption(
                ChannelOptions.deliveryTimeout, value: timeout.wholeMilliseconds)
        }
        return bootstrap
    }

    private func guardEntry(of channel: any Channel) throws {
        let address = channel.remoteAddress
        let context = tls.withLock { $0 }
        let session = try TLSSession(context)
        let admission = TLSAdmission(
            admit: { (channel, peer) throws(TransportError) in
                // The files may have changed during the handshake.
                let current = self.tls.withLock { $0 }
                if current !== context, let fault = session.fault(under: current) { throw .peerRefused(fault) }
                try self.admit(peer, on: channel)
            },
            refuse: { self.refused(address, $0) })
        try channel.pipeline.syncOperations.addHandler(TLSHandler(session, options, admission))
        inside.withLock { $0[ObjectIdentifier(channel)] = channel }
        channel.closeFuture.whenComplete { _ in self.inside.withLock { $0[ObjectIdentifier(channel)] = nil } }
    }

    private func admit(_ peer: TLSSession.Peer, on channel: any Channel) throws(TransportError) {
        let role = peer.certificate.identity.role
        guard peer.protocol.admits(role) else {
            throw .peerRefused(.wrongRole(role, expected: peer.protocol.clients))
        }
        do {
            try channel.pipeline.syncOperations.addHandler(FrameDecoder(limit: options.firstFrameLimit))
            try accept(channel, peer.certificate.identity, peer.protocol)
        } catch {
            throw .peerRefused(error as? PeerFault ?? .notAdmitted("\(error)"))
        }
    }
}
