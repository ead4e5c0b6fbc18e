import Daemon
import Foundation
import Replication
import Seat
import Tickets

/// Routes of the seats: nodes and witness notice nothing.
extension DrillFault {
    static let seatRoutes: [DrillFault] = [
        DrillFault("cut-seats-route-1", "the seats' first cable is cut: silence", isUsual: true) { scene in
            try await cut(scene) { try await scene.hold(.seconds(3)) }
        },
        DrillFault("cut-idle-route-1", "the first cable of seats that ask for nothing is cut, then one asks") { scene in
            // The others stay at work; this one has been still for a while, with all its ways open.
            let client = try SeatClient(configuration: scene.pair.seat(1))
            defer { Task { await client.close() } }
            let usual = try await ask(client)
            while await client.connections.contains(where: { $0.state == .away }) {
                try await Task.sleep(for: .milliseconds(10))
            }
            try await cut(scene) {
                for pause in [Duration.milliseconds(100), .milliseconds(900), .seconds(3)] {
                    try await scene.hold(pause)
                    let took = try await ask(client)
                    // Well below the two beats that a seat without that rule would wait.
                    guard took < usual + 200 else { throw Failure("an idle seat had to wait for \(took) ms") }
                    scene.mark(String(format: "an idle seat is answered in %.1f ms (%.1f before)", took, usual))
                }
            }
        },
        flappingRoute("flap-route-1", times: 10, isUsual: true), flappingRoute("flap-route-1-minute", times: 100),
    ]

    /// How long an answer took, in milliseconds.
    private static func ask(_ client: SeatClient) async throws -> Double {
        let began = monotonicNow().nanoseconds
        _ = try await client.show(TicketID(high: 1, low: 1))
        return Double(monotonicNow().nanoseconds - began) / 1_000_000
    }

    private static func cut(_ scene: DrillScene, _ work: () async throws -> Void) async throws {
        let cables = Direction.both(.seats, .a) + Direction.both(.seats, .b)
        scene.mark("the seats' route 1 goes dark")
        try await scene.hosts.cut(cables, on: [.route1])
        try await work()
        try await scene.waitForAnswers()
        try await scene.hosts.mendAll()
        scene.mend("it is back")
    }

    private static func flappingRoute(_ name: String, times: Int, isUsual: Bool = false) -> DrillFault {
        DrillFault(
            name, "the primary's first cable is there for 300 ms, gone for 300 ms, \(times) times", isUsual: isUsual
        ) { scene in
            let cable = Direction.all(of: HostName(scene.primary))
            scene.mark("the primary's route 1 begins to flap")
            for _ in 1...times {
                try await scene.hosts.cut(cable, on: [.route1])
                try await scene.hold(.milliseconds(300))
                try await scene.hosts.mendAll()
                try await scene.hold(.milliseconds(300))
            }
            scene.mend("it stands still")
        }
    }
}
