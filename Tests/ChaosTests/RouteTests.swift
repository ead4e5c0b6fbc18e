import Daemon
import Foundation
import NIOCore
import NIOPosix
import Replication
import Testing

@testable import twinline

/// The nodes' two routes to each other, of which one falls silent: nothing is refused, nothing closed, no byte comes.
extension ProcessTests.RouteTests {
    @Test("one of two routes cut: the pair stays paired, and uses it again when it works", .timeLimit(.minutes(3)))
    func oneCut() async throws {
        let routes = try Cables()
        let faulty = try FaultyPair()
        try routes.lay(in: faulty.pair)
        try await faulty.start()
        for route in [0, 1, 0] {
            let epoch = await faulty.pair.view.look().primaryStatus?.standing.epoch
            let start = monotonicNow()
            routes.cut(route)
            try await faulty.waitForWrites(300)
            let pause = faulty.crew.ledger.blackout(from: start, to: monotonicNow()).milliseconds
            print("longest pause with route \(route + 1) cut: \(pause) ms")
            // Half of what a lost link takes; a loss would show in epoch or mode as well.
            #expect(pause < 300)
            let sight = await faulty.pair.view.look()
            #expect(sight.isPaired && sight.primaryStatus?.standing.epoch == epoch)
            #expect(sight.primaryStatus?.mode == "paired")
            routes.mend(route)
            // The silent connections are given up and dialled anew before the other route is cut.
            try await routes.waitForTraffic(route)
        }
        try await faulty.audit()
    }
}
