import Replication
import Testing
import Tickets
import Wire

@testable import Engine

@Suite("a standby knows how old it is")
struct AgeTests {
    private let seat = TestSeat()
    private let pair: TestPair

    init() throws {
        pair = try TestPair()
        try pair.formPair()
    }

    private func ask(_ name: NodeName, limit: UInt64? = nil) throws -> ReadAnswer {
        let query = Query.show(TicketID(high: 1, low: 1))
        pair[name].views = []
        pair[name].engine.read(
            [PendingRead(number: 1, level: .standby(maxAge: limit), query: query, connection: seat)])
        try pair.pump()
        return try #require(pair[name].views.last)
    }

    private func open() throws {
        let request = SeatRequest(session: 0, sequence: 1, answeredBelow: 0, body: .openSession)
        pair[.a].database.submit(PendingWrite(request: request, actor: "seat/1", bytes: 10, connection: seat))
        try pair.pump()
    }

    private static let millisecond: UInt64 = 1_000_000

    @Test("by what comes back of its own moments, and only once it has applied what was committed by then")
    func grows() throws {
        let young = try #require(try ask(.b, limit: 150).age)
        #expect(young <= 110 * Self.millisecond)
        pair[.b].databaseStuck = true
        try open()
        try pair.run(milliseconds: 400)
        #expect(pair[.b].engine.replica.applied < pair[.a].engine.replica.committed)
        let old = try #require(pair[.b].engine.age)
        #expect(old >= 290 * Self.millisecond)
        #expect(try ask(.b, limit: 200).outcome == .notNow(.tooOld))
        pair[.b].databaseStuck = false
        try pair.run(milliseconds: 100)
        #expect(try #require(pair[.b].engine.age) <= 110 * Self.millisecond)
    }

    @Test("an echo counts for the session it came in, and one that is awaited is not put off by the next")
    func sessions() {
        let first = UniqueNumber(process: 1, counter: 1), second = UniqueNumber(process: 2, counter: 1)
        var freshness = Freshness(session: first)
        freshness.echoed(100, committed: LSN(5), applied: LSN(4))
        freshness.echoed(200, committed: LSN(9), applied: LSN(4))
        #expect(freshness.age(at: Instant(nanoseconds: 250), in: first) == nil)
        freshness.applied(through: LSN(5))
        #expect(freshness.age(at: Instant(nanoseconds: 250), in: first) == 150)
        // It came late, over the slower route.
        freshness.echoed(50, committed: LSN(1), applied: LSN(5))
        #expect(freshness.age(at: Instant(nanoseconds: 250), in: first) == 150)
        #expect(freshness.age(at: Instant(nanoseconds: 99), in: first) == nil)
        #expect(freshness.age(at: Instant(nanoseconds: 250), in: second) == nil)
        freshness.stamped(7)
        #expect(freshness.echo(in: first) == 7 && freshness.echo(in: second) == 0)
        freshness.enter(second)
        #expect(freshness.age(at: Instant(nanoseconds: 250), in: second) == nil)
    }

    @Test("a primary answers who asks for a young standby, and nobody else")
    func primary() throws {
        let answer = try ask(.a, limit: 1)
        #expect(answer.outcome == .view(.ticket(nil)) && answer.age == nil)
        #expect(try ask(.a).outcome == .notNow(.notPrimary))
    }
}
