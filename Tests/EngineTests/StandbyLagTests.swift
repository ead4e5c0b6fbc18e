import Replication
import Testing
import Tickets
import Wire

@testable import Engine

/// Whoever takes over applies first what its database lacks, and seats wait for that: so it must not become much.
@Suite struct StandbyLagTests {
    private let seat = TestSeat()

    /// Requests of about 1 MiB of changes each, the first of which opens the session.
    private func submit(_ numbers: ClosedRange<UInt64>, to member: TestPair.Member) {
        for number in numbers {
            let ticket = OpenTicket(
                id: TicketID(high: 7, low: number), openedAt: 1, category: "Lights",
                text: String(repeating: "dark ", count: 200_000))
            let body: SeatRequest.Body = number == 1 ? .openSession : .command(.open(ticket))
            let request = SeatRequest(session: number == 1 ? 0 : 1, sequence: number, answeredBelow: 0, body: body)
            member.database.submit(PendingWrite(request: request, actor: "seat/1", bytes: 100, connection: seat))
        }
    }

    /// A pair whose standby's disk works, and its database does not; with requests, one a batch.
    private func laggingPair(_ requests: ClosedRange<UInt64>) throws -> TestPair {
        let pair = try TestPair()
        try pair.formPair()
        submit(1...1, to: pair[.a])
        try pair.run(milliseconds: 100)
        pair[.b].databaseStuck = true
        for number in requests {
            submit(number...number, to: pair[.a])
            try pair.run(milliseconds: 20)
        }
        return pair
    }

    @Test("while the standby's database is far behind, writes wait for it, and go on when it has caught up")
    func waits() throws {
        let pair = try laggingPair(2...60)
        let answered = pair[.a].answers.count
        #expect((30...40).contains(answered), "\(answered) requests of 1 MiB were answered")
        #expect(pair[.a].engine.replica.failoverObstacle == nil, "the pair is as it was")
        pair[.b].databaseStuck = false
        try pair.run(milliseconds: 300)
        #expect(pair[.a].answers.count == 60)
        #expect(pair[.b].database.database.digest == pair[.a].database.database.digest)
    }

    @Test("a new route to the standby changes nothing about that")
    func newRoute() throws {
        let pair = try laggingPair(2...30)
        for number in UInt64(31)...60 {
            submit(number...number, to: pair[.a])
            pair[.a].engine.peerRouteChanged()
            try pair.run(milliseconds: 20)
        }
        #expect((30...40).contains(pair[.a].answers.count), "\(pair[.a].answers.count)")
    }

    @Test("without the standby they go on")
    func alone() throws {
        let pair = try laggingPair(2...60)
        _ = pair.kill(.b)
        try pair.run(milliseconds: 500)
        #expect(pair[.a].answers.count == 60)
    }
}
