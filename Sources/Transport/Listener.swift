import NIOCore
import NIOPosix

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

    /// Binds all of `addresses`, or none.
    /// - Throws: `TransportError.cannotBind` for the first address that can't be had.
    package static func bind(
        _ addresses: [SocketAddress], on group: any EventLoopGroup, _ connections: OpenConnections,
        options: ConnectionOptions = ConnectionOptions(), refused: @escaping Refused, accept: @escaping Accept
    ) async throws(TransportError) -> Listener {
        precondition(connections.context.side == .server, "a listener needs a server's context")
        let door = Door(connections, options: options, refused: refused, accept: accept)
        var channels: [any Channel] = []
        for address in addresses {
            do {
                channels.append(try await door.bootstrap(on: group).bind(to: address).get())
            } catch {
                for channel in channels { try? await channel.close() }
                throw .cannotBind(address: address.numeric, reason: SystemFailure(error).text)
            }
        }
        return Listener(channels)
    }

    private init(_ channels: [any Channel]) {
        addresses = channels.compactMap(\.localAddress)
        self.channels = channels
    }

    /// Stops listening. Connections that were accepted stay.
    package func close() async {
        for channel in channels { try? await channel.close() }
    }
}

/// What every connection that comes in passes through.
private final class Door: Sendable {
    private let connections: OpenConnections
    private let options: ConnectionOptions
    private let refused: Listener.Refused
    private let accept: Listener.Accept

    init(
        _ connections: OpenConnections, options: ConnectionOptions, refused: @escaping Listener.Refused,
        accept: @escaping Listener.Accept
    ) {
        (self.connections, self.options, self.refused, self.accept) = (connections, options, refused, accept)
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
        let admission = TLSAdmission(
            admit: { (channel, peer) throws(TransportError) in try self.admit(peer, on: channel) },
            refuse: { self.refused(address, $0) })
        try connections.enter(channel, options, admission)
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
