import Testing

@testable import Replication

/// R9: a read is answered after one round to the standby that began after it came.
struct ReadTests {
    private func confirmed(_ round: UInt64, in session: UniqueNumber = Stage.session) -> Message {
        Message(Epoch(3), session, .confirmed(round: round))
    }

    @Test("a primary that needs its standby answers a read after a round, a solo one at once")
    func round() throws {
        var a = Stage.paired()
        let answer = a.read()
        let (wait, effects) = try #require(answer)
        #expect(wait == .round(1))
        #expect(effects.bodies == [.confirm(round: 1)])
        #expect(a.receive(confirmed(1)) == [.confirmReads(through: 1)])

        var solo = Stage.solo()
        #expect(solo.read()?.wait == Replica.ReadWait.none)
    }

    @Test("a read that comes while a round is under way waits for the next, which all that wait share")
    func shares() throws {
        var a = Stage.paired()
        #expect(a.read()?.wait == .round(1))
        for _ in 0..<3 {
            let answer = a.read()
            let (wait, effects) = try #require(answer)
            #expect(wait == .round(2))
            #expect(effects == [])
        }
        #expect(a.receive(confirmed(1)).bodies == [.confirm(round: 2)])
        #expect(a.receive(confirmed(2)) == [.confirmReads(through: 2)])
    }

    @Test("a round that came back already, or in another session, confirms nothing")
    func otherRounds() throws {
        var a = Stage.paired()
        _ = a.read()
        _ = a.receive(confirmed(1))
        _ = a.read()
        #expect(a.receive(confirmed(1)) == [])
        #expect(a.receive(confirmed(2, in: UniqueNumber(process: 99, counter: 1))).bodies == [.stale])
        #expect(a.receive(confirmed(3)) == [])
        #expect(a.receive(confirmed(2)) == [.confirmReads(through: 2)])
    }

    @Test("a read that has lost its standby waits until solo is won, or a new session confirms it")
    func lost() throws {
        var a = Stage.paired()
        _ = a.read()
        #expect(a.losesStandby().bodies == [])
        var b = a
        #expect(a.witnessSays(.won(Stage.register(4, 3, .a, .solo))).contains(.confirmReads(through: 1)))

        let next = UniqueNumber(process: 77, counter: 2)
        _ = b.peerConnected()
        _ = b.receive(
            Message(
                Epoch(3), next,
                .join(
                    Join(
                        log: EpochTable(epochs: 3), synced: LSN(1), disk: Stage.diskB, starts: 1, witness: Stage.witness
                    ))))
        #expect(b.receive(Stage.acknowledge(1, in: next)).bodies == [.confirm(round: 1)])
        #expect(b.receive(confirmed(1, in: next)) == [.confirmReads(through: 1)])
    }

    @Test("a standby confirms only in the session that it follows")
    func confirms() throws {
        var b = Stage.following()
        let session = try #require(b.followed)
        #expect(b.receive(Message(Epoch(3), session, .confirm(round: 7))).bodies == [.confirmed(round: 7)])
        let other = UniqueNumber(process: 99, counter: 1)
        #expect(b.receive(Message(Epoch(3), other, .confirm(round: 8))).bodies == [.stale])
    }

    @Test("a node that does not lead, or does not serve yet, takes no read")
    func takesNone() {
        var b = Stage.following()
        #expect(b.read() == nil)
        var a = Stage.started(.a)
        #expect(a.read() == nil)
    }

    @Test("a primary that hands over takes no new batch and no new read")
    func handsOver() {
        var a = Stage.paired()
        _ = a.switchOver()
        #expect(a.read() == nil)
        #expect(a.propose() == nil)
        #expect(a.serves)
    }
}
