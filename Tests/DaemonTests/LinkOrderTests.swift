import Logging
import NIOCore
import NIOEmbedded
import Replication
import Testing
import Transport
import Wire

@testable import Daemon

/// What a link sends while a long entry is on its way, over two connections, and the other node says when it has it.
struct LinkOrderTests {
    private final class Sender: PeerLinkDelegate {
        func peerConnected() {}
        func peerDisconnected(dismissed: Bool) {}
        func peerRefused() {}
        func peerRouteChanged() {}
        func peerSaid(_ envelope: PeerEnvelope) {}
        func peerWorked() {}
        var hello: PeerEnvelope { LinkOrderTests.greeting(of: .b) }
    }

    private static let pair = RandomID(high: 1, low: 2)
    private let session = UniqueNumber(process: 9, counter: 1)
    private let loop = EmbeddedEventLoop()
    private let long = LongMessageThread()
    private let link: PeerLink
    private let sender = Sender()
    private let channels: [EmbeddedChannel]
    /// The other node's ears, one for each connection.
    private var assemblies = [MessageAssembly(), MessageAssembly()]

    init() throws {
        let certificates = try LivePair()
        defer { withExtendedLifetime(certificates) {} }
        let tls = try TLSContext(.client, certificates.tls("node/b"), protocols: [.node])
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        link = PeerLink(
            on: loop, to: [], dialer: Dialer(tls: tls), pair: Self.pair, peer: .a, process: 1, heartbeat: 50,
            long: long, log: log)
        link.delegate = sender
        channels = [EmbeddedChannel(loop: loop), EmbeddedChannel(loop: loop)]
        for channel in channels {
            try channel.pipeline.syncOperations.addHandler(FrameDecoder(ConnectionOptions()))
            try PeerLink.accept(channel, of: "a", NIOLoopBound(link, eventLoop: loop), RefusalLog(log))
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            try say(Twinline_Node_V1_PeerMessage(Self.greeting(of: .a)), on: channel)
        }
        #expect(link.connections.count == 2)
        for channel in channels { while try channel.readOutbound(as: ByteBuffer.self) != nil {} }
    }

    private static func greeting(of node: NodeName) -> PeerEnvelope {
        let hello = Hello(
            node: node, leads: false, synced: .zero, disk: RandomID(high: 3, low: 3), starts: 1, registerVersion: 1)
        return PeerEnvelope(Message(Epoch(3), .none, .hello(hello)), pair: pair, process: 7)
    }

    private func say(_ message: Twinline_Node_V1_PeerMessage, on channel: EmbeddedChannel) throws {
        var buffer = ByteBuffer()
        buffer.writeFrame(encoded(message))
        try channel.writeInbound(buffer)
        loop.run()
    }

    private func entry(_ lsn: UInt64, size: Int) -> PeerEnvelope {
        let entry = Entry(
            position: Position(Epoch(3), LSN(lsn)), kind: .changes, schemaVersion: 1, digest: .zero,
            payload: Array(repeating: 7, count: size))
        let frame = EntryFrame(encoding: entry, chainBefore: 0, knownSynced: .zero)
        return PeerEnvelope(
            Message(Epoch(3), session, .append(Run([frame]), committed: .zero)), frames: [frame], pair: Self.pair)
    }

    /// What has come to the other node by now: the LSNs of whole entries, whether there was a heartbeat, and up to
    /// where the last message in parts has come.
    private mutating func received() throws -> (
        entries: [UInt64], heartbeat: Bool, message: UInt64?, bytes: UInt64
    ) {
        var (entries, heartbeat, message, bytes) = ([UInt64](), false, UInt64?.none, UInt64(0))
        loop.run()
        while case let orders = long.takeWaiting(), !orders.isEmpty {
            var work = LongMessageThread.Work()
            _ = work.carryOut(orders)
            loop.run()
        }
        for (index, channel) in channels.enumerated() {
            var all = ByteBuffer()
            while var part = try channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&part) }
            while let length = all.readInteger(as: UInt32.self), let frame = all.readBytes(length: Int(length)) {
                var whole: Twinline_Node_V1_PeerMessage? = try decoded(frame)
                if case .part(let part) = whole?.body {
                    (message, bytes) = (part.number, part.offset + UInt64(part.bytes.count))
                    whole = try assemblies[index].add(part)
                }
                guard let whole else { continue }
                switch try PeerEnvelope(whole).message.body {
                case .append(let run, _): entries.append(run.last.lsn.value)
                case .heartbeat: heartbeat = true
                default: break
                }
            }
        }
        return (entries, heartbeat, message, bytes)
    }

    @Test("a short entry waits until the other node has the long one before it; a heartbeat waits for nothing")
    mutating func shortWaitsForLong() throws {
        let beat = Message.Body.heartbeat(committed: .zero, synced: .zero, applied: .zero)
        let heartbeat = PeerEnvelope(Message(Epoch(3), session, beat), pair: Self.pair)
        link.send(entry(1, size: 10), everywhere: false)
        #expect(try received().entries == [1])
        link.send(entry(2, size: 3 * MessageParts.size), everywhere: false)
        link.send(entry(3, size: 10), everywhere: false)
        link.send(heartbeat, everywhere: false)
        var came = try received()
        #expect(came.entries == [2] && came.heartbeat)
        // It is all sent, and nobody has said that it is there: over the other connection this one would be sooner.
        link.send(entry(4, size: 10), everywhere: false)
        let none = try received()
        #expect(none.entries.isEmpty)
        for expected in [3, 4] as [UInt64] {
            try take(try #require(came.message), came.bytes)
            came = try received()
            #expect(came.entries == [expected])
        }
        try take(try #require(came.message), came.bytes)
        link.send(entry(5, size: 10), everywhere: false)
        let last = try received()
        #expect(last.entries == [5] && last.message == nil)
    }

    @Test("of a long entry only a few parts are on their way at a time")
    mutating func window() throws {
        link.send(entry(1, size: 10 * MessageParts.size), everywhere: false)
        var came = try received()
        let ahead = 4 * UInt64(MessageParts.size)
        #expect(came.bytes == ahead && came.entries.isEmpty)
        // The other node has two of them; and what it could not yet have does not count.
        try take(try #require(came.message), UInt64(2 * MessageParts.size))
        came = try received()
        #expect(came.bytes == ahead + UInt64(2 * MessageParts.size))
        try take(try #require(came.message), .max)
        came = try received()
        #expect(came.bytes == 2 * ahead + UInt64(2 * MessageParts.size))
        try take(try #require(came.message), came.bytes)
        #expect(try received().entries == [1])
    }

    /// The other node says that it has so many bytes of this message.
    private func take(_ number: UInt64, _ bytes: UInt64) throws {
        var taken = Twinline_Node_V1_PeerMessage()
        (taken.partsTaken.number, taken.partsTaken.bytes) = (number, bytes)
        try say(taken, on: channels[0])
    }
}
