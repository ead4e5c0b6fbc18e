import Testing

@testable import Replication

/// R3, as the primary keeps it: require, be level, then promise. And R10's half of a join: where two logs part.
struct JoinTests {
    @Test("from the very beginning of a join a primary needs the standby, though the register says solo")
    func requires() {
        var a = Stage.solo()
        _ = a.propose()
        _ = a.peerConnected()
        let effects = a.receive(Stage.join())
        #expect(effects.bodies == [.joinAccepted(common: .zero)])
        #expect(a.logSynced(through: LSN(2)) == [])
        #expect(a.needsStandby == true)
        // Even if the standby goes away at once: solo must be won again.
        #expect(a.losesStandby().commits == [])
        #expect(a.needsStandby == true)
    }

    @Test("a primary asks for paired only when the standby has all that was committed without it")
    func level() throws {
        var a = Stage.solo()
        for lsn in 2...4 {
            _ = a.propose()
            _ = a.logSynced(through: LSN(UInt64(lsn)))
        }
        _ = a.peerConnected()
        #expect(a.receive(Stage.join()).questions == [])
        #expect(a.receive(Stage.acknowledge(3)).questions == [])
        #expect(a.failoverObstacle == .standbyCatchingUp(behind: 1))
        let change = try #require(a.receive(Stage.acknowledge(4)).change)
        #expect(change.version == 2)
        #expect(change.register.mode == .paired)
        #expect(change.register.disks == PerNode(a: Stage.diskA, b: Stage.diskB))
        #expect(change.register.floor == Position(3, 4))
    }

    @Test("paired is won even if the register says so already, and no failover is promised before")
    func alwaysWon() throws {
        var a = Stage.paired()
        #expect(a.failoverObstacle == nil)
        _ = a.witnessDisconnected()
        _ = a.losesStandby()
        _ = a.witnessConnected()
        _ = a.witnessSays(.current(Stage.register(3, 3, .a, .paired)))
        // Before solo is answered, the standby is back.
        _ = a.peerConnected()
        _ = a.receive(Stage.join(log: EpochTable(epochs: 3), synced: 1))
        let effects = a.receive(Stage.acknowledge(1)) + a.witnessSays(.lost(Stage.register(3, 3, .a, .paired)))
        #expect(a.failoverObstacle == .registerUnsettled)
        #expect(try #require(effects.change).version == 3)
        #expect(effects.change?.register.mode == .paired)
        _ = a.witnessSays(.won(Stage.register(4, 3, .a, .paired)))
        #expect(a.failoverObstacle == nil)
    }

    @Test("a change to paired names the disk that joined")
    func namesDisk() throws {
        var a = Stage.solo()
        _ = a.peerConnected()
        _ = a.receive(Stage.join(disk: Stage.spare))
        let change = try #require(a.receive(Stage.acknowledge(1)).change)
        #expect(change.register.disks == PerNode(a: Stage.diskA, b: Stage.spare))
    }

    @Test("paired won for an earlier session promises nothing")
    func earlierSession() {
        var a = Stage.joined()
        let next = UniqueNumber(process: 77, counter: 2)
        _ = a.receive(
            Message(
                Epoch(3), next,
                .join(
                    Join(
                        log: EpochTable(epochs: 3), synced: LSN(1), disk: Stage.diskB, starts: 1,
                        witness: Stage.witness))))
        _ = a.witnessSays(.won(Stage.register(3, 3, .a, .paired)))
        #expect(a.failoverObstacle != nil)
    }

    @Test("a primary that learns from its lost change that the standby has won steps down at once")
    func standbyHasWon() {
        var a = Stage.joined()
        _ = a.witnessSays(.lost(Stage.register(3, 4, .b, .solo)))
        #expect(a.role == .fenced)
        #expect(!a.serves)
    }

    @Test("the log is shipped from where both agree, once the standby has cut its own")
    func shipsFromCommon() {
        var a = Stage.solo()
        _ = a.propose()
        _ = a.peerConnected()
        let effects = a.receive(Stage.join(log: EpochTable(epochs: 1, 1), synced: 2))
        #expect(effects == [.send(Message(Epoch(3), Stage.session, .joinAccepted(common: .zero)))])
        #expect(a.receive(Stage.acknowledge(0)) == [.ship(from: LSN(1), session: Stage.session)])
        #expect(a.receive(Stage.acknowledge(0)) == [])
    }

    @Test("a primary that does not serve yet accepts nobody")
    func notServing() {
        var a = Stage.started(.a)
        _ = a.peerConnected()
        #expect(a.receive(Stage.join()) == [])
    }

    @Test("a second join replaces the first, whose acknowledgements count no more")
    func secondJoin() {
        var a = Stage.paired()
        _ = a.propose()
        _ = a.logSynced(through: LSN(2))
        let next = UniqueNumber(process: 77, counter: 2)
        _ = a.receive(
            Message(
                Epoch(3), next,
                .join(
                    Join(
                        log: EpochTable(epochs: 3), synced: LSN(1), disk: Stage.diskB, starts: 1,
                        witness: Stage.witness))))
        #expect(a.receive(Stage.acknowledge(2)).bodies == [.stale])
        #expect(a.receive(Stage.acknowledge(2, in: next)).commits == [LSN(2)])
    }

    @Test("the third loss within a minute delays the return")
    func flapping() {
        var a = Stage.paired()
        for _ in 0..<3 {
            _ = a.losesStandby()
            _ = a.peerConnected()
            _ = a.receive(Stage.join(log: EpochTable(epochs: 3), synced: 1))
        }
        #expect(a.receive(Stage.join(log: EpochTable(epochs: 3), synced: 1)).bodies == [.joinRefused(.flapping)])
        #expect(a.failoverObstacle == .flapping(milliseconds: 1001))
        _ = a.later(milliseconds: 1001)
        #expect(
            a.receive(Stage.join(log: EpochTable(epochs: 3), synced: 1)).bodies == [
                .joinAccepted(common: Position(3, 1))
            ])
    }

    @Test("a standby whose log the primary can't reach back to is told to be reseeded")
    func reseedNeeded() {
        var a = Stage.started(
            .a, log: EpochTable(base: Position(1, 5), starts: [Position(1, 6)], last: Position(1, 7)), applied: LSN(7))
        _ = a.witnessConnected()
        _ = a.witnessSays(.current(Stage.register()))
        _ = a.peerRefused()
        a.allSaved()
        _ = a.witnessSays(.current(Stage.register()))
        _ = a.witnessSays(.won(Stage.register(2, 3, .a, .solo)))
        a.allSaved()
        _ = a.logSynced(through: LSN(8))
        _ = a.peerConnected()
        #expect(a.receive(Stage.join(log: EpochTable(epochs: 1, 1), synced: 2)).bodies == [.joinRefused(.reseedNeeded)])
        #expect(a.needsStandby == false)
    }
}
