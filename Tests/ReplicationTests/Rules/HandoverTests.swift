import Testing

@testable import Replication

/// Planned switchover, and what a stalled primary does: the standby is asked to claim, and that is all.
struct HandoverTests {
    @Test("a switchover is refused with the reason unless a failover is possible")
    func refused() {
        var solo = Stage.solo()
        #expect(solo.switchOver().obstacle == .standbyMissing)
        var joined = Stage.joined()
        #expect(joined.switchOver().obstacle == .registerUnsettled)
        var standby = Stage.following()
        #expect(standby.switchOver().obstacle == .notLeading)
        var blind = Stage.paired()
        _ = blind.witnessDisconnected()
        #expect(blind.switchOver().obstacle == .witnessUnreachable)
    }

    @Test("the standby is asked only when it has acknowledged, and this node committed, all there is")
    func drains() {
        var a = Stage.paired()
        _ = a.propose()
        let (obstacle, effects) = a.switchOver()
        #expect(obstacle == nil && effects == [])
        #expect(a.failoverObstacle == .handingOver)
        #expect(a.receive(Stage.acknowledge(2)).bodies == [])
        let last = a.logSynced(through: LSN(2))
        #expect(last.commits == [LSN(2)])
        #expect(last.bodies == [.handOver(through: LSN(2))])
    }

    @Test("the standby's claim is the switch: the primary steps down when it sees the newer epoch")
    func stepsDown() {
        var a = Stage.paired()
        _ = a.switchOver()
        #expect(a.serves)
        _ = a.receive(Stage.hello(from: .b, epoch: 4, leads: true, synced: Position(4, 2)))
        #expect(!a.serves)
        a.allSaved()
        #expect(a.joining != nil)
    }

    @Test("when nothing comes of it, the primary goes on in its epoch, needing its standby as before")
    func goesOn() {
        var a = Stage.paired()
        _ = a.switchOver()
        for _ in 0..<20 {
            #expect(a.propose() == nil)
            _ = a.receive(Stage.acknowledge(1))
            _ = a.later(milliseconds: 50)
        }
        #expect(a.serves && a.epoch == Epoch(3))
        #expect(a.needsStandby == true)
        #expect(a.failoverObstacle == .standbyMissing)
    }

    @Test("a primary whose disk is stuck asks its standby to claim what that has, and answers nothing meanwhile")
    func stalled() throws {
        var a = Stage.paired()
        _ = a.propose()
        var asked: [Message.Body] = []
        for _ in 0..<21 {
            _ = a.receive(Stage.acknowledge(2))
            asked += a.later(milliseconds: 50).bodies.filter { if case .handOver = $0 { true } else { false } }
        }
        #expect(asked == [.handOver(through: LSN(2))])
        #expect(a.propose() == nil)
    }
}
