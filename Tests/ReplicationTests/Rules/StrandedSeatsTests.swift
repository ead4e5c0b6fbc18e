import Testing

@testable import Replication

/// Seats that reach the standby only: they can make the primary hand over, and nothing else.
struct StrandedSeatsTests {
    /// As b's beats go out while a keeps beating.
    private func beats(_ b: inout Replica, milliseconds: UInt64) -> [Message.Body] {
        var bodies: [Message.Body] = []
        for _ in 0..<(milliseconds / 50) {
            let beat = Message.Body.heartbeat(committed: LSN(1), synced: LSN(1), applied: LSN(1))
            _ = b.receive(Message(Epoch(3), b.followed ?? .none, beat))
            bodies += b.later(milliseconds: 50).bodies
        }
        return bodies
    }

    @Test("a standby says so when more than half of its seats have reached it alone for half a second")
    func reports() {
        var b = Stage.following()
        _ = b.seatsConnected(10, recent: 10, stranded: 6)
        #expect(!beats(&b, milliseconds: 450).contains(.stranded(seats: 6)))
        #expect(beats(&b, milliseconds: 50).contains(.stranded(seats: 6)))
        // And goes on saying so.
        #expect(beats(&b, milliseconds: 50).contains(.stranded(seats: 6)))
        _ = b.seatsConnected(10, recent: 10, stranded: 5)
        #expect(!beats(&b, milliseconds: 1000).contains { if case .stranded = $0 { true } else { false } })
    }

    @Test(
        "half of them, one alone, or most of few while many have just gone, move nothing",
        arguments: [(10, 10, 5), (1, 1, 1), (4, 10, 4)])
    func tooFew(here: Int, recent: Int, stranded: Int) {
        var b = Stage.following()
        _ = b.seatsConnected(here, recent: recent, stranded: stranded)
        #expect(!beats(&b, milliseconds: 1000).contains { if case .stranded = $0 { true } else { false } })
        #expect(b.followed != nil)
    }

    @Test("a standby never claims because of seats")
    func neverClaims() {
        var b = Stage.following()
        _ = b.seatsConnected(100, recent: 100, stranded: 100)
        _ = beats(&b, milliseconds: 10_000)
        #expect(b.claims == nil && b.followed != nil)
    }

    private func report(_ seats: UInt64) -> Message { Message(Epoch(3), Stage.session, .stranded(seats: seats)) }

    @Test("the primary hands over when more seats reach the standby alone than itself")
    func handsOver() {
        var a = Stage.paired()
        // All may be connected still: it counts who is heard.
        _ = a.seatsConnected(60)
        _ = a.seatsAlive(6)
        #expect(a.receive(report(6)).bodies == [])
        #expect(a.failoverObstacle == nil)
        #expect(a.receive(report(7)).bodies == [.handOver(through: LSN(1))])
        #expect(a.failoverObstacle == .handingOver)
    }

    @Test("not while nobody could take over, nor for a report of another session")
    func refused() {
        var joined = Stage.joined()
        #expect(joined.receive(report(7)).bodies == [])
        #expect(joined.failoverObstacle == .registerUnsettled)
        var a = Stage.paired()
        _ = a.receive(Message(Epoch(3), UniqueNumber(process: 0xB, counter: 99), .stranded(seats: 7)))
        _ = a.receive(Message(Epoch(1), Stage.session, .stranded(seats: 7)))
        #expect(a.failoverObstacle == nil)
    }
}
