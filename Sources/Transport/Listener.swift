import NIOCore
import NIOPosix
import Planted
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
    private let lobby: Lobby
    /// Of each event loop.
    private let turns = Mutex<[ObjectIdentifier: NIOLoopBound<HandshakeTurns>]>([:])

    init(
        _ connections: OpenConnections, options: ConnectionOptions, refused: @escaping Listener.Refused,
        accept: @escaping Listener.Accept
    ) {
        (self.connections, self.options, self.refused, self.accept) = (connections, options, refused, accept)
        lobby = Lobby(limit: options.strangerLimit)
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
        let origin = Lobby.Origin(address)
        let admission = TLSAdmission(
            admit: { (channel, peer) throws(TransportError) in
                self.lobby.leave(channel, from: origin)
                try self.admit(peer, on: channel, from: address)
            },
            refuse: { self.refused(address, $0) })
        try connections.enter(channel, options, admission, turns: turns(of: channel.eventLoop))
        lobby.enter(channel, from: origin)
        channel.closeFuture.whenComplete { _ in self.lobby.leave(channel, from: origin) }
    }

    private func turns(of loop: any EventLoop) -> HandshakeTurns {
        turns.withLock { turns in
            if let known = turns[ObjectIdentifier(loop)] { return known }
            let new = NIOLoopBound(HandshakeTurns(loop), eventLoop: loop)
            turns[ObjectIdentifier(loop)] = new
            return new
        }.value
    }

    private func admit(
        _ peer: TLSSession.Peer, on channel: any Channel, from address: SocketAddress?
    ) throws(TransportError) {
        let identity = peer.certificate.identity
        guard peer.protocol.admits(identity.role) || planted("anyRoleSpeaksAnything") else {
            throw .peerRefused(.wrongRole(identity.role, expected: peer.protocol.clients), of: "\(identity)")
        }
        do {
            try channel.pipeline.syncOperations.addHandler(
                FrameDecoder(options, own: connections.context.own.identity) { self.refused(address, $0) })
            try accept(channel, identity, peer.protocol)
        } catch {
            throw .peerRefused(error as? PeerFault ?? .notAdmitted("\(error)"), of: "\(identity)")
        }
    }
}
