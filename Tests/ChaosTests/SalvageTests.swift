import Daemon
import Foundation
import Replication
import Seat
import Testing

@testable import twinline

/// What a forced promotion loses is not gone without a trace.
extension ProcessTests.SalvageTests {
    @Test("what only the lost node had answered is in its salvage file", .timeLimit(.minutes(3)))
    func forcedPromotion() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let lost = try #require(await faulty.pair.view.look().primary)
        let forced = lost.other
        // Alone, it answers what the other one does not have.
        faulty.pair.nodes[forced]?.kill()
        try await faulty.wait { $0.nodes[lost].value?.mode == "solo" }
        try await faulty.waitForWrites(100)
        faulty.pair.nodes[lost]?.kill()
        faulty.pair.witness.kill()
        let answered = faulty.crew.ledger.acknowledged
        try faulty.pair.nodes[forced]?.start()
        try await faulty.wait { $0.nodes[forced].value != nil }
        let order = try await faulty.twinline("force-promote", "--node", "\(forced)", "--confirm", "demo")
        #expect(order.code == 0, "\(order.said)")

        try faulty.pair.witness.start()
        try faulty.pair.nodes[lost]?.start()
        try await faulty.wait { $0.isPaired && $0.primary == forced }
        let data = faulty.pair.directory.appending(path: "data-\(lost)")
        let name = try #require(
            FileManager.default.contentsOfDirectory(atPath: data.path).first { $0.hasPrefix("salvage-") })
        let text = try String(contentsOf: data.appending(path: name), encoding: .utf8)

        let seat = try SeatClient(configuration: faulty.pair.seat(1))
        var missing = 0
        for ticket in Set(answered.map(\.ticket)) where try await seat.show(ticket) == nil {
            missing += 1
            #expect(text.contains("opened ticket \(ticket)"))
        }
        await seat.close()
        #expect(missing > 0 && text.contains("ANSWERED"))
        let verdict = try await faulty.twinline("verify")
        #expect(verdict.code == 0, "\(verdict.said)")
    }

    @Test("a lost node that comes back too late sets aside all since it began to lead", .timeLimit(.minutes(3)))
    func tooLate() async throws {
        let faulty = try FaultyPair(settings: "segment-size: 1MiB\nlog-keep: 0s\nlog-limit: 4MiB")
        try await faulty.start()
        let lost = try #require(await faulty.pair.view.look().primary)
        let forced = lost.other
        faulty.pair.nodes[forced]?.kill()
        try await faulty.wait { $0.nodes[lost].value?.mode == "solo" }
        try await faulty.waitForWrites(100)
        let end = try #require(await faulty.pair.view.look().nodes[lost].value).appended
        faulty.pair.nodes[lost]?.kill()
        faulty.pair.witness.kill()
        let answered = faulty.crew.ledger.acknowledged
        try faulty.pair.nodes[forced]?.start()
        try await faulty.wait { $0.nodes[forced].value != nil }
        let order = try await faulty.twinline("force-promote", "--node", "\(forced)", "--confirm", "demo")
        #expect(order.code == 0, "\(order.said)")
        // Until the log has let go of all that the lost node knows.
        try faulty.pair.witness.start()
        try await faulty.wait { ($0.nodes[forced].value?.logFirst ?? 0) > end + 1 }

        try faulty.pair.nodes[lost]?.start()
        try await faulty.wait { $0.isPaired && $0.primary == forced }
        let data = faulty.pair.directory.appending(path: "data-\(lost)")
        let name = try #require(
            FileManager.default.contentsOfDirectory(atPath: data.path).first { $0.hasPrefix("salvage-") })
        let text = try String(contentsOf: data.appending(path: name), encoding: .utf8)
        #expect(text.contains("MAY BE IN\nNODE \(forced)'S DATA TOO"))
        let seat = try SeatClient(configuration: faulty.pair.seat(1))
        var missing = 0
        for ticket in Set(answered.map(\.ticket)) where try await seat.show(ticket) == nil {
            missing += 1
            #expect(text.contains("opened ticket \(ticket)"))
        }
        await seat.close()
        #expect(missing > 0 && text.contains("ANSWERED"))
        let verdict = try await faulty.twinline("verify")
        #expect(verdict.code == 0, "\(verdict.said)")
    }
}
