import Foundation
import NIOCore
import NIOPosix
import Replication
import Testing
import Transport
import Wire

@testable import Daemon

/// Certificates that are replaced, revoked or over while a whole pair runs.
@Suite(.serialized) struct RevocationTests {
    let log = RecordedLog()

    @Test("a node takes up a new certificate by itself, and nobody loses a connection")
    func replaced() async throws {
        try await RunningPair.with(log: log.logger) { running in
            try await running.format()
            let seat = try await OpenSeat("seat/1", running)
            try running.pair.issueAgain("node/a", days: 100)
            try await running.wait(for: .a) { [99, 100].contains($0.certificateDaysLeft) }
            try await seat.roundTrip()
            let other = try await OpenSeat("seat/1", running)
            #expect(other.server.notAfter < seat.server.notAfter)
            #expect(log.lines(with: "lost").isEmpty && log.lines(with: "ended a connection").isEmpty)
            for seat in [seat, other] { try await seat.channel.close() }
        }
    }

    @Test("a seat that is revoked is out, another one stays")
    func revokedSeat() async throws {
        try await RunningPair.with(log: log.logger) { running in
            try await running.format()
            try running.pair.issue("seat/2")
            let lost = try await OpenSeat("seat/1", running), other = try await OpenSeat("seat/2", running)
            try running.pair.pki("revoke", running.pair.path("pki"), "seat/1")
            try await log.wait(for: "ended a connection because=its certificate is revoked")
            try await lost.channel.closeFuture.get()
            try await other.roundTrip()
            #expect(log.lines(with: "ended a connection").allSatisfy { $0.contains("seat/1") })
            try await other.channel.close()
        }
    }

    @Test("a revoked node loses its link to the other node on both ends, and to the witness")
    func revokedNode() async throws {
        try await RunningPair.with(log: log.logger) { running in
            try await running.format()
            try running.pair.pki("revoke", running.pair.path("pki"), "node/b")
            try await running.wait(for: .a) { !$0.peerConnected && $0.mode == "solo" }
            try await running.wait(for: .b) { !$0.peerConnected && !$0.witnessConnected }
            // From now on it is refused, but does not keep the others busy with it.
            let refusal = "because=peer refused: twinline://test/node/b: its certificate is revoked"
            try await log.wait(for: [refusal, "times="])
            // They dial again four times a second each, and are counted every five.
            let counts = log.lines(with: refusal).compactMap { $0.split(separator: "times=").last.flatMap { Int($0) } }
            #expect(counts.allSatisfy { $0 < 100 })
            // And b knows why.
            #expect(!log.lines(with: "check this side's certificate, twinline://test/node/b,").isEmpty)
        }
    }

    @Test("a revoked witness is let go by both nodes")
    func revokedWitness() async throws {
        try await RunningPair.with(log: log.logger) { running in
            try await running.format()
            try running.pair.pki("revoke", running.pair.path("pki"), "witness")
            for name in NodeName.allCases { try await running.wait(for: name) { !$0.witnessConnected } }
        }
    }

    @Test("a seat whose certificate expires while it is connected is out")
    func expiredSeat() async throws {
        try await RunningPair.with(log: log.logger) { running in
            try await running.format()
            // Long enough to get in, on whatever machine.
            var seconds = 3.0
            var seat: OpenSeat?
            while seat == nil {
                try running.pair.issue("seat/3", until: Date(timeIntervalSinceNow: seconds))
                seat = try? await OpenSeat("seat/3", running)
                seconds *= 2
            }
            try await log.wait(for: [
                "ended a connection because=its certificate has expired; issue a new one", "of=twinline://test/seat/3",
            ])
            try await seat?.channel.closeFuture.get()
        }
    }
}

/// A seat's bare connection to node a.
private struct OpenSeat: Sendable {
    let channel: any Channel
    let server: PeerCertificate
    private let replies: AsyncStream<Twinline_Seat_V1_NodeMessage>

    init(_ name: String, _ running: RunningPair) async throws {
        let (replies, append) = AsyncStream.makeStream(of: Twinline_Seat_V1_NodeMessage.self)
        let (servers, server) = AsyncStream.makeStream(of: PeerCertificate.self)
        self.replies = replies
        let dialer = Dialer(
            tls: try TLSContext(.client, running.pair.tls(name), protocols: [.seat]), connectTimeout: .hours(1))
        channel = try await dialer.dial(
            try running.pair.address(0), on: running.pair.group.next(), expecting: .node(.a)
        ) { channel, certificate in
            server.yield(certificate)
            try channel.pipeline.syncOperations.addHandler(
                FrameRelay(
                    core: channel.eventLoop, active: {},
                    frame: { bytes in
                        if let reply: Twinline_Seat_V1_NodeMessage = try? decoded(bytes) { append.yield(reply) }
                    },
                    closed: { _ in append.finish() }))
        }.get()
        self.server = try await #require(servers.first { _ in true })
        var hello = Twinline_Seat_V1_SeatMessage()
        hello.hello.program = "test"
        try await ask(hello)
    }

    func roundTrip() async throws {
        var beat = Twinline_Seat_V1_SeatMessage()
        beat.beat.stamp = 1
        try await ask(beat)
    }

    private func ask(_ message: Twinline_Seat_V1_SeatMessage) async throws {
        var buffer = ByteBuffer()
        buffer.writeFrame(encoded(message))
        try await channel.writeAndFlush(buffer)
        let kind = message.beat.stamp > 0
        let reply = await replies.first { reply in
            if case .beat = reply.body { kind } else if case .welcome = reply.body { !kind } else { false }
        }
        try #require(reply != nil)
    }
}
