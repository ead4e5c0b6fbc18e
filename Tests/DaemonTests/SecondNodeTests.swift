import Foundation
import NIOCore
import Replication
import Testing
import Transport
import Wire

@testable import Arbitration
@testable import Daemon

/// Two processes that show the certificate of one node, as after a machine was cloned.
@Suite struct SecondNodeTests {
    @Test("a second node a, on a copy of its data, is refused by name, by b and the witness, while the first is alive")
    func copy() async throws {
        let log = RecordedLog(), second = RecordedLog()
        try await RunningPair.with(log: log.logger) { running in
            try await running.format()
            let before = try await running.status(.a)
            var settings = try running.pair.node(.a)
            settings.data = running.pair.path("data-second")
            settings.listen = [try SocketAddress(ipAddress: "127.0.0.1", port: 0)]
            try FileManager.default.copyItem(atPath: running.pair.path("data-a"), toPath: settings.data)
            let stopper = Stopper()
            let daemon = NodeDaemon(settings, log: second.logger)
            async let end = daemon.run(stopper)
            // However this ends: the daemon is waited for.
            defer { stopper.request() }

            let reason = "another process is node a already, and alive"
            for whose in ["b", "witness"] {
                try await log.wait(for: ["peer refused: twinline://test/node/a: \(reason)", "whose=\(whose)"])
            }
            for who in ["no connection to the other node", "lost the witness"] {
                try await second.wait(for: [who, "refused by the peer: \(reason)", "twinline://test/node/a"])
            }
            // It goes on trying, and the pair goes on as it was.
            for whose in ["b", "witness"] { try await log.wait(for: [reason, "times=", "whose=\(whose)"]) }
            #expect(second.lines(with: "role=primary").isEmpty)
            let after = try await running.status(.a)
            #expect(after.standing.epoch == before.standing.epoch && after.standing.role == .primary)
            // The register's version says nothing: its floor is raised once a minute.
            #expect(after.failoverPossible)

            stopper.request()
            #expect(await end == .orderly)
        }
    }

    @Test("the process that speaks for a node is replaced when it has died, or is silent for too long, and not before")
    func speakers() {
        let start = NIODeadline.uptimeNanoseconds(1)
        var speakers = Speakers()
        #expect(speakers.heard(.a, 10, from: 1, at: start) == nil)
        // The other node is another matter.
        #expect(speakers.heard(.b, 20, from: 2, at: start) == nil)
        #expect(speakers.heard(.a, 11, from: 3, at: start + .milliseconds(2999)) == 3)
        // It is the same process that comes back by another connection, and its old one ends.
        #expect(speakers.heard(.a, 10, from: 4, at: start + .milliseconds(2999)) == nil)
        speakers.left(1)
        #expect(speakers.heard(.a, 11, from: 5, at: start + .seconds(4)) == 5)
        #expect(speakers.heard(.a, 11, from: 6, at: start + .milliseconds(5999)) == 4)
        #expect(speakers.heard(.a, 10, from: 7, at: start + .seconds(6)) == 7)
        speakers.left(6)
        #expect(speakers.heard(.a, 10, from: 8, at: start + .seconds(6)) == nil)
    }
}
