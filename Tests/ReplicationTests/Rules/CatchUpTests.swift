import Testing

@testable import Replication

/// A standby that lacks much of the log: a primary that has won solo goes on without it until it is nearly level, and
/// rule R3 begins only then.
struct CatchUpTests {
    /// Solo, with entries 1 to 10 committed, and a standby with an empty log that joins.
    private func catchingUp(_ nearlyLevel: UInt64 = 2) -> Replica {
        var a = Stage.solo()
        a.nearlyLevel = nearlyLevel
        for lsn in 2...10 {
            _ = a.propose()
            _ = a.logSynced(through: LSN(UInt64(lsn)))
        }
        _ = a.peerConnected()
        _ = a.receive(Stage.join())
        return a
    }

    @Test("a solo primary goes on committing and reading while its standby catches up")
    func goesOn() {
        var a = catchingUp()
        #expect(a.needsStandby == false)
        #expect(a.receive(Stage.acknowledge(0)) == [.ship(from: LSN(1), session: Stage.session)])
        #expect(a.propose() == Position(3, 11))
        #expect(a.logSynced(through: LSN(11)).commits == [LSN(11)])
        #expect(a.read()?.wait == Replica.ReadWait.none)
        #expect(a.receive(Stage.acknowledge(8)).questions == [])
        #expect(a.failoverObstacle == .standbyCatchingUp(behind: 3))
        #expect(a.needsStandby == false)
    }

    @Test("it needs the standby from the moment that this is nearly level, and asks for paired when it is level")
    func nearlyLevel() throws {
        var a = catchingUp()
        _ = a.receive(Stage.acknowledge(7))
        _ = a.propose()
        _ = a.propose()
        _ = a.logSynced(through: LSN(11))
        // 12 is the end of the log, 11 is committed.
        let effects = a.receive(Stage.acknowledge(10))
        #expect(a.needsStandby == true)
        #expect(effects.commits == [] && effects.questions == [])
        #expect(a.logSynced(through: LSN(12)).commits == [])
        let change = try #require(a.receive(Stage.acknowledge(11)).change)
        #expect(change.register.mode == .paired)
        #expect(a.receive(Stage.acknowledge(12)).commits == [LSN(12)])
        _ = a.witnessSays(.won(Stage.register(3, 3, .a, .paired, floor: Position(3, 11))))
        #expect(a.failoverObstacle == nil)
    }

    @Test("a standby that goes away while it catches up changes nothing")
    func goesAway() {
        var a = catchingUp()
        _ = a.receive(Stage.acknowledge(3))
        #expect(a.losesStandby().questions == [])
        #expect(a.needsStandby == false)
        _ = a.propose()
        #expect(a.logSynced(through: LSN(11)).commits == [LSN(11)])
    }

    @Test("one that lacks little is needed from the beginning")
    func lacksLittle() {
        #expect(catchingUp(10).needsStandby == true)
        #expect(catchingUp(9).needsStandby == false)
    }

    @Test("a primary that has not won solo needs its standby, however much that lacks")
    func needs() {
        var a = Stage.paired()
        a.nearlyLevel = 0
        for _ in 2...9 { _ = a.propose() }
        _ = a.logSynced(through: LSN(9))
        _ = a.losesStandby()
        _ = a.peerConnected()
        let next = UniqueNumber(process: 77, counter: 1)
        _ = a.receive(
            Message(
                Epoch(3), next,
                .join(
                    Join(
                        log: EpochTable(epochs: 3), synced: LSN(1), disk: Stage.diskB, starts: 1, witness: Stage.witness
                    ))))
        #expect(a.needsStandby == true)
        #expect(a.receive(Stage.acknowledge(5, in: next)).commits == [LSN(5)])
    }
}
