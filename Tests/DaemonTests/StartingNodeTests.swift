import Testing
import Transport

@testable import Daemon

/// A node's port while the node behind it is still reading its log.
@Suite struct StartingNodeTests {
    /// Told that they are refused, seats and the other node would come again seconds later only, and a failover that is
    /// near would find them without a connection.
    @Test("a node that is just starting lets nobody in, and tells nobody that it refuses them")
    func tellsNoRefusal() async throws {
        let pair = try LivePair(), log = RecordedLog()
        defer { withExtendedLifetime(pair) {} }
        let settings = try pair.node(.a)
        let door = try await SeatDoor(
            settings, CertificateWatch(settings.tls, log: log.logger), log: log.logger, group: pair.group)
        for (name, proto) in [("seat/1", ApplicationProtocol.seat), ("node/b", .node), ("node/b", .copy)] {
            let end = pair.group.next().makePromise(of: (any Error)?.self)
            let tls = try TLSContext(.client, pair.tls(name), protocols: [proto])
            _ = try await Dialer(tls: tls, connectTimeout: .hours(1)).dial(
                try pair.address(0), on: pair.group.next(), expecting: .node(.a)
            ) {
                channel, _ in
                try channel.pipeline.syncOperations.addHandler(
                    FrameRelay(core: channel.eventLoop, active: {}, frame: { _ in }, closed: { end.succeed($0) }))
            }.get()
            let error = try await end.futureResult.get()
            #expect(error == nil, "\(name) is told: \(error.map { "\($0)" } ?? "")")
            try await log.wait(for: ["twinline://test/\(name): this node is not running yet"])
        }
        await door.close()
    }
}
