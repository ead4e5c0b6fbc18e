import Daemon
import Foundation
import Replication
import Seat
import TestSupport
import Testing

@testable import Commands

/// What a forced promotion loses is not gone without a trace.
extension ProcessTests.SalvageTests {
    /// A pair whose primary has answered alone, and is lost; the other node leads by force.
    private struct Parted {
        let faulty: FaultyPair
        let lost: NodeName
        /// What the lost node had answered by then, alone or not.
        let answered: [Ledger.Promise]
        /// Its newest entry, or one a moment before.
        let end: UInt64

        init(settings: String = "segment-size: 8MiB") async throws {
            faulty = try FaultyPair(settings: settings)
            try await faulty.start()
            let lost = try await faulty.primary()
            self.lost = lost
            faulty.pair.nodes[lost.other]?.kill()
            try await faulty.wait { $0.nodes[lost].value?.mode == "solo" }
            try await faulty.waitForWrites(100)
            end = try await faulty.appended(by: lost)
            faulty.pair.nodes[lost]?.kill()
            faulty.pair.witness.kill()
            answered = faulty.crew.ledger.acknowledged
            try faulty.pair.nodes[lost.other]?.start()
            try await faulty.promote(lost.other)
            try faulty.pair.witness.start()
        }

        /// Starts the lost node; it follows, and has set aside whatever it had answered and the other lacks.
        /// - Returns: what the file says.
        func salvaged() async throws -> String {
            try faulty.pair.nodes[lost]?.start()
            try await faulty.wait { $0.isPaired && $0.primary == lost.other }
            let data = faulty.pair.directory.appending(path: "data-\(lost)")
            let name = try #require(
                FileManager.default.contentsOfDirectory(atPath: data.path).first { $0.hasPrefix("salvage-") })
            let text = try String(contentsOf: data.appending(path: name), encoding: .utf8)
            let seat = try SeatClient(configuration: faulty.pair.seat(1))
            var missing = 0
            for ticket in Set(answered.map(\.ticket)) where try await seat.show(ticket, within: Pace.inVain) == nil {
                missing += 1
                #expect(text.contains("opened ticket \(ticket)"))
            }
            await seat.close()
            #expect(missing > 0 && text.contains("ANSWERED"))
            let verdict = try await faulty.twinline("verify")
            #expect(verdict.code == 0, "\(verdict.said)")
            return text
        }
    }

    @Test("what only the lost node had answered is in its salvage file")
    func forcedPromotion() async throws {
        let parted = try await Parted()
        #expect(try await parted.salvaged().contains("does not hold the entries below"))
    }

    @Test("a lost node that comes back too late sets aside all since it began to lead")
    func tooLate() async throws {
        let parted = try await Parted(settings: "segment-size: 1MiB\nlog-keep: 0s\nlog-limit: 4MiB")
        // Until the log has let go of all that the lost node knows.
        try await parted.faulty.writeLong(megabytes: 5)
        try await parted.faulty.wait { ($0.nodes[parted.lost.other].value?.logFirst ?? 0) > parted.end + 1 }
        #expect(try await parted.salvaged().contains("MAY BE IN\nNODE \(parted.lost.other)'S DATA TOO"))
    }
}
