import Testing

@testable import Replication

/// R11: a disk that may have forgotten is a new disk; and the floor keeps out who lacks what was answered.
struct DiskTests {
    private func rejoin(synced: UInt64, disk: RandomID = Stage.diskB) -> Message {
        let next = UniqueNumber(process: 77, counter: 2)
        let log = synced == 0 ? EpochTable() : EpochTable(starts: [Position(3, 1)], last: Position(3, synced))
        return Message(
            Epoch(3), next,
            .join(
                Join(log: log, synced: LSN(synced), disk: disk, starts: 2, witness: Stage.witness)))
    }
    /// Node a, whose standby has acknowledged e3:2 and was lost.
    private func lostStandby() -> Replica {
        var a = Stage.paired()
        _ = a.propose()
        _ = a.logSynced(through: LSN(2))
        _ = a.receive(Stage.acknowledge(2))
        _ = a.losesStandby()
        _ = a.peerConnected()
        return a
    }

    @Test("a standby that shows less than it acknowledged in this epoch is told that its disk forgot")
    func showsLess() {
        var a = lostStandby()
        #expect(a.receive(rejoin(synced: 1)).bodies == [.joinRefused(.diskForgot)])
        #expect(a.receive(rejoin(synced: 2)).bodies == [.joinAccepted(common: Position(3, 2))])
    }

    @Test("a disk with a new id may have less: it is levelled, and the register names it")
    func newDisk() {
        var a = lostStandby()
        #expect(a.receive(rejoin(synced: 0, disk: Stage.spare)).bodies == [.joinAccepted(common: .zero)])
        let next = UniqueNumber(process: 77, counter: 2)
        #expect(a.receive(Stage.acknowledge(1, in: next)).change == nil)
        _ = a.witnessSays(.lost(Stage.register(3, 3, .a, .paired)))
        #expect(a.receive(Stage.acknowledge(2, in: next)).change?.register.disks.b == Stage.spare)
    }

    @Test("a standby that is told so takes a new disk id, saved before it joins again")
    func takesNewID() throws {
        var b = Stage.started(.b)
        _ = b.peerConnected()
        _ = b.receive(Stage.hello(from: .a, epoch: 3, leads: true, synced: Position(3, 2)))
        b.allSaved()
        let session = try #require(b.joining)
        let effects = b.receive(Message(Epoch(3), session, .joinRefused(.diskForgot)))
        #expect(effects.saves?.disk == Stage.spare)
        #expect(b.later(milliseconds: 100).joinsIn == nil)
        let join = b.saved().messages.compactMap { if case .join(let join) = $0.body { join } else { nil } }
        #expect(join.first?.disk == Stage.spare)
    }

    @Test("a disk whose start counter is below the register's was put back: it gets a new id and never claims")
    func startsWentBack() {
        var a = Stage.started(.a)
        _ = a.witnessConnected()
        let effects = a.witnessSays(.current(Stage.register(4, 1, .a, starts: PerNode(a: 2, b: 1))))
        #expect(effects.saves?.disk == Stage.spare)
        a.allSaved()
        _ = a.peerRefused()
        #expect(a.claims == nil)
    }

    @Test("a disk that does not know a number of its own that the register has was put back")
    func claimWentBack() {
        var a = Stage.started(.a)
        _ = a.witnessConnected()
        let effects = a.witnessSays(.current(Stage.register(4, 3, .a, .paired)))
        #expect(effects.saves?.disk == Stage.spare)
    }

    @Test("an unknown disk never claims, even if the register names its node")
    func unknown() {
        var a = Stage.started(.a)
        _ = a.witnessConnected()
        _ = a.witnessSays(.current(Stage.register(4, 1, .a, disks: PerNode(a: Stage.spare, b: Stage.diskB))))
        _ = a.peerRefused()
        #expect(a.claims == nil)
        #expect(a.obstacleToClaim == .unknownDisk)
    }

    @Test("each change of the register raises the floor to what is committed, a claim never lowers it")
    func floor() throws {
        var a = Stage.solo()
        _ = a.propose()
        _ = a.logSynced(through: LSN(2))
        _ = a.peerConnected()
        _ = a.receive(Stage.join())
        #expect(a.receive(Stage.acknowledge(2)).change?.register.floor == Position(3, 2))

        var b = Stage.following()
        _ = b.later(milliseconds: 300)
        _ = b.saved()
        let change = b.witnessSays(.current(Stage.register(3, 3, .a, floor: Position(2, 9)))).change
        #expect(change?.register.floor == Position(3, 1))
    }

    @Test("a settled primary raises the floor once a minute, by a change that may be lost")
    func raisesFloor() {
        var a = Stage.paired()
        _ = a.propose()
        _ = a.logSynced(through: LSN(2))
        var changes: [Register] = []
        for _ in 0..<1201 {
            _ = a.receive(Stage.acknowledge(2))
            let effects = a.later(milliseconds: 50)
            if let change = effects.change { changes.append(change.register) }
            if effects.questions == [.read] { _ = a.witnessSays(.current(Stage.register(3, 3, .a))) }
        }
        #expect(changes.map(\.floor) == [Position(3, 2)])
        #expect(changes.map(\.mode) == [.paired])
        #expect(a.failoverObstacle == nil)
    }
}
