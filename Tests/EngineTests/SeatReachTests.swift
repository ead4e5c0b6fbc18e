import Replication
import Testing

@testable import Engine

/// Who is counted as a seat, and as one that reaches this node alone.
struct SeatReachTests {
    private let start = Instant(nanoseconds: 5)

    @Test("a seat counts once, however many connections it holds")
    func once() {
        var reach = SeatReach<String>()
        for _ in 0..<4 { reach.note(.came, of: "seat/1", at: start) }
        reach.note(.came, of: "seat/2", at: start)
        #expect((reach.here, reach.recent, reach.stranded) == (2, 2, 0))
        for _ in 0..<3 { reach.note(.left(wasStranded: false), of: "seat/1", at: start) }
        #expect((reach.here, reach.recent) == (2, 2))
    }

    @Test("it is stranded when all its connections say so, and no longer when it has gone")
    func stranded() {
        var reach = SeatReach<String>()
        for _ in 0..<2 { reach.note(.came, of: "seat/1", at: start) }
        reach.note(.said(isStranded: true), of: "seat/1", at: start)
        #expect(reach.stranded == 0)
        reach.note(.said(isStranded: true), of: "seat/1", at: start)
        #expect(reach.stranded == 1)
        reach.note(.left(wasStranded: true), of: "seat/1", at: start)
        #expect(reach.stranded == 1)
        reach.note(.left(wasStranded: true), of: "seat/1", at: start)
        #expect((reach.here, reach.recent, reach.stranded) == (0, 1, 0))
    }

    @Test("who has gone is remembered for a minute; who comes back in it was never away")
    func minute() {
        var reach = SeatReach<String>()
        for seat in ["seat/1", "seat/2"] {
            reach.note(.came, of: seat, at: start)
            reach.note(.left(wasStranded: false), of: seat, at: start)
        }
        reach.note(.came, of: "seat/2", at: start.advanced(byMilliseconds: 1000))
        reach.forget(at: start.advanced(byMilliseconds: 59_999))
        #expect((reach.here, reach.recent) == (1, 2))
        reach.forget(at: start.advanced(byMilliseconds: 60_000))
        #expect((reach.here, reach.recent) == (1, 1))
    }
}
