import Foundation
import NIOCore
import NIOPosix
import Replication
import Seat
import TestSupport
import Testing

@testable import Commands

/// Two cables between the nodes of a pair: all that they say to each other passes through here, and a cable that is
/// cut holds it up without a word, as a switch without power does. All of it on one event loop.
///
/// `@unchecked Sendable`: everything that changes is touched on that loop only.
final class Cables: @unchecked Sendable {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let loop: any EventLoop
    private var ends: [[any Channel]] = [[], []]
    private var isCut = [false, false]
    private var carried = [0, 0]
    private var listeners: [any Channel] = []
    private let bytesPerSecond: Int?
    /// What was said to the nodes.
    private var saidToNodes = 0

    /// - Parameter bytesPerSecond: of each connection, each way. Nil: as many as there are.
    init(bytesPerSecond: Int? = nil) {
        loop = group.next()
        self.bytesPerSecond = bytesPerSecond
    }

    deinit {
        for channel in listeners + ends.flatMap({ $0 }) { channel.close(promise: nil) }
        let group = group
        group.shutdownGracefully { _ in }
    }

    /// Has each node look for the other at this end of the cables.
    func lay(in pair: ThrowawayPair) throws {
        for (node, listens) in try NodeName.allCases.map({ ($0, try addresses("listen", of: $0.other, pair)) }) {
            let ports = try listens.enumerated().map { try listen(route: $0.offset, to: $0.element) }
            let file = pair.directory.appending(path: "node-\(node).yaml")
            let peer = try addresses("peer", of: node, pair)
            var text = try String(contentsOf: file, encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("peer:") })
            #expect(peer.count == 2)
            let here = ports.map { "\"127.0.0.1:\($0)\"" }.joined(separator: ", ")
            text = text.replacing(line, with: "peer: [\(here)]")
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
    }

    /// The same ways to the nodes, through here.
    func lead(_ routes: [SeatConfiguration.Route]) throws -> [SeatConfiguration.Route] {
        try routes.enumerated().map { number, route in
            let target = try SocketAddress(ipAddress: route.address, port: route.port)
            return .init(route.node, address: "127.0.0.1", port: try listen(route: number % 2, to: target))
        }
    }

    var carriedToNodes: Int { get async throws { try await loop.submit { self.saidToNodes }.get() } }

    private func addresses(_ key: String, of node: NodeName, _ pair: ThrowawayPair) throws -> [SocketAddress] {
        let text = try String(contentsOf: pair.directory.appending(path: "node-\(node).yaml"), encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(key + ":") })
        return try line.split(separator: "\"").filter { $0.contains(".") }.map { address in
            let parts = address.split(separator: ":")
            return try SocketAddress(ipAddress: String(parts[0]), port: try #require(Int(parts[1])))
        }
    }

    private func listen(route: Int, to target: SocketAddress) throws -> Int {
        let listener = try ServerBootstrap(group: loop)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { near in
                self.connect(near, route, target)
                return near.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        listeners.append(listener)
        return try #require(listener.localAddress?.port)
    }

    private func connect(_ near: any Channel, _ route: Int, _ target: SocketAddress) {
        ClientBootstrap(group: loop).channelOption(.autoRead, value: false).connect(to: target).whenComplete { result in
            guard case .success(let far) = result else { return near.close(promise: nil) }
            for (end, other) in [(near, far), (far, near)] {
                self.ends[route].append(end)
                try? end.pipeline.syncOperations.addHandler(
                    Pump(to: other, bytesPerSecond: self.bytesPerSecond) {
                        self.carried[route] += $0
                        if end === near { self.saidToNodes += $0 }
                    })
                if !self.isCut[route] { self.read(end, true) }
            }
        }
    }

    func cut(_ route: Int) { change(route, isCut: true) }
    func mend(_ route: Int) { change(route, isCut: false) }

    private func change(_ route: Int, isCut: Bool) {
        loop.execute {
            self.isCut[route] = isCut
            for end in self.ends[route] { self.read(end, !isCut) }
        }
    }

    private func read(_ end: any Channel, _ reads: Bool) {
        try? end.syncOptions?.setOption(.autoRead, value: reads)
    }

    /// More than what a few heartbeats weigh.
    func waitForTraffic(_ route: Int) async throws {
        let before = try await loop.submit { self.carried[route] }.get()
        try await eventually { try await loop.submit { self.carried[route] }.get() >= before + 5000 }
    }
}

/// What comes in here goes out there, in its time.
private final class Pump: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let other: any Channel
    private let bytesPerSecond: Int?
    private let count: (Int) -> Void
    private var freeAt = NIODeadline.now()
    init(to other: any Channel, bytesPerSecond: Int?, _ count: @escaping (Int) -> Void) {
        (self.other, self.bytesPerSecond, self.count) = (other, bytesPerSecond, count)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        count(bytes.readableBytes)
        guard let bytesPerSecond else { return other.writeAndFlush(bytes, promise: nil) }
        // As packets, not all at once at the end.
        while let packet = bytes.readSlice(length: min(1500, bytes.readableBytes)), packet.readableBytes > 0 {
            freeAt = max(freeAt, .now()) + .nanoseconds(Int64(packet.readableBytes * 1_000_000_000 / bytesPerSecond))
            let other = other
            context.eventLoop.scheduleTask(deadline: freeAt) { other.writeAndFlush(packet, promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
