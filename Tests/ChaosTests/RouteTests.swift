import Daemon
import Foundation
import NIOCore
import NIOPosix
import Replication
import Testing

@testable import Commands

/// The nodes' two routes to each other, of which one falls silent: nothing is refused, nothing closed, no byte comes.
extension ProcessTests.RouteTests {
    @Test("one of two routes cut: the pair stays paired, and uses it again when it works")
    func oneCut() async throws {
        let routes = Cables()
        defer { withExtendedLifetime(routes) {} }
        // Then nothing changes the register but the loss of a node.
        let faulty = try FaultyPair(timings: ["raise-floor: 1440m"])
        try routes.lay(in: faulty.pair)
        try await faulty.start()
        for route in [0, 1, 0] {
            let before = try #require(try await faulty.sight().primaryStatus)
            routes.cut(route)
            try await faulty.waitForWrites(300)
            let sight = try await faulty.sight()
            #expect(sight.isPaired && sight.primaryStatus?.standing.epoch == before.standing.epoch)
            #expect(sight.primaryStatus?.registerVersion == before.registerVersion)
            routes.mend(route)
            // The silent connections are given up and dialled anew before the other route is cut.
            try await routes.waitForTraffic(route)
        }
        try await faulty.audit()
    }
}
