import Foundation
import NIOCore
import NIOPosix
import Replication
import TestSupport
import Testing
import Transport
import Wire

@testable import Daemon

/// What strangers, seats and nodes can do to a running pair over real sockets: end their own connection. One after
/// another: each keeps the processor busy.
@Suite(.serialized) struct HostileConnectionTests {
    @Test("garbage, half frames and floods on any port end their own connections, and pair and seats go on")
    func garbage() async throws {
        let log = RecordedLog()
        try await RunningPair.with(log: log.logger) { running in
            try await running.format()
            let before = try await running.status(.a)
            let group = running.pair.group
            var open: [any Channel] = []
            for round in 0..<60 {
                // As a stranger: the first record of a handshake, or anything.
                let raw = try await ClientBootstrap(group: group)
                    .connect(to: try running.pair.address(round % 3)).get()
                let start: [UInt8] = round % 2 == 0 ? [0x16, 3, 1, 0x02, 0, 1, 0, 1, 0xfc, 3, 3] : []
                try? await raw.writeAndFlush(ByteBuffer(bytes: start + noise(round)))
                open.append(raw)
            }
            let ways: [(name: String, ApplicationProtocol, port: Int)] = [
                ("seat/1", .seat, 0), ("node/b", .node, 0), ("node/b", .copy, 0), ("node/a", .node, 1),
                ("node/a", .witness, 2), ("ops/admin", .witness, 2),
            ]
            for round in 0..<120 {
                let (name, proto, port) = ways[round % ways.count]
                let channel = try await dial(running, name, proto, port)
                var frames = ByteBuffer()
                if round % 3 == 0 { frames.writeFrame(encoded(hello)) }
                if round % 2 == 0 { frames.writeFrame(noise(round)) } else { frames.writeBytes(noise(round)) }
                try? await channel.writeAndFlush(frames)
                open.append(channel)
            }
            try await running.wait(for: .a) { $0.failoverPossible && $0.seats < 5 }
            try await log.wait(for: ["ended a connection", "seat/1: it sent", "whose=a"])
            try await log.wait(for: ["ended a connection", "node/a: it said what can't be", "whose=b"])
            try await log.wait(for: ["ended a connection", "node/a", "whose=witness"])
            let after = try await running.status(.a)
            #expect(after.standing.epoch == before.standing.epoch && after.standing.role == .primary)
            for channel in open { try? await channel.close() }
        }
    }

    @Test("the other node's certificate and no word is not enough to hold a connection")
    func silent() async throws {
        try await RunningPair.with { running in
            try await running.format()
            let silent = [
                try await dial(running, "node/b", .node, 0), try await dial(running, "node/b", .copy, 0),
            ]
            // They have ten seconds.
            try await eventually { !silent.contains(where: \.isActive) }
            try await running.wait(for: .a) { $0.failoverPossible }
        }
    }

    @Test("a seat that asks and never reads is not listened to, and then let go; the others are served")
    func deaf() async throws {
        let log = RecordedLog()
        try await RunningPair.with(log: log.logger) { running in
            try await running.format()
            let deaf = try await dial(running, "seat/1", .seat, 0)
            try await deaf.setOption(.socketOption(.so_rcvbuf), value: 4096).get()
            try await deaf.setOption(.autoRead, value: false).get()
            var frames = ByteBuffer()
            frames.writeFrame(encoded(hello))
            for stamp in 1...2000 {
                frames.writeFrame(encoded(Twinline_Seat_V1_SeatMessage.with { $0.beat.stamp = UInt64(stamp) }))
            }
            // More than the system's buffers hold in both directions: what is beyond stays on its side.
            let last = deaf.eventLoop.makePromise(of: Void.self)
            for count in 0..<600 { deaf.writeAndFlush(frames, promise: count == 599 ? last : nil) }
            try await running.wait(for: .a) { $0.failoverPossible }
            // It is let go for its silence, since nothing more is read of it.
            try await deaf.closeFuture.get()
            await #expect(throws: (any Error).self) { try await last.futureResult.get() }
            #expect(log.lines(with: "wait unsent").isEmpty)
            try await running.wait(for: .a) { $0.failoverPossible }
        }
    }

    private var hello: Twinline_Seat_V1_SeatMessage { .with { $0.hello.program = "test" } }

    private func noise(_ seed: Int) -> [UInt8] {
        var state = UInt64(seed + 1)
        return (0..<seed % 90).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(state >> 56)
        }
    }

    private func dial(
        _ running: RunningPair, _ name: String, _ proto: ApplicationProtocol, _ port: Int
    ) async throws -> any Channel {
        let tls = try TLSContext(.client, running.pair.tls(name), protocols: [proto])
        let role = port == 2 ? Identity.Role.witness : .node(port == 0 ? .a : .b)
        var options = ConnectionOptions()
        options.unsentLimit = .max
        return try await Dialer(tls: tls, options: options, connectTimeout: .hours(1)).dial(
            try running.pair.address(port), on: running.pair.group.next(), expecting: role
        ) { _, _ in }.get()
    }
}
