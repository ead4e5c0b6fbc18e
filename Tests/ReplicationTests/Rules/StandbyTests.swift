import Testing

@testable import Replication

/// What a standby does with a session: cut, append, acknowledge, commit (R10), and when it says so.
struct StandbyTests {
    /// Node b in e2 with a tail of its own, e2:2 and e2:3, of which its database holds `applied`; it is joining e3.
    private func joining(applied: UInt64 = 1) throws -> (Replica, UniqueNumber) {
        var b = Stage.started(.b, epoch: 2, log: EpochTable(epochs: 1, 2, 2), applied: LSN(applied))
        _ = b.peerConnected()
        _ = b.receive(Stage.hello(from: .a, epoch: 3, leads: true, synced: Position(3, 2)))
        b.allSaved()
        return (b, try #require(b.joining))
    }

    @Test("a standby acknowledges an entry only after its log is synced")
    func acknowledges() throws {
        var b = Stage.following()
        let session = try #require(b.followed)
        let run = Run(Position(3, 2))
        #expect(b.receive(Message(Epoch(3), session, .append(run, committed: LSN(1)))) == [.append(run)])
        #expect(b.logSynced(through: LSN(2)).acknowledged == [LSN(2)])
    }

    @Test("a standby commits what the primary has committed, once it is on its own disk")
    func commits() throws {
        var b = Stage.following()
        let session = try #require(b.followed)
        _ = b.receive(Message(Epoch(3), session, .append(Run(Position(3, 2)), committed: LSN(1))))
        let beat = Message(Epoch(3), session, .heartbeat(committed: LSN(2), synced: LSN(2), applied: LSN(1)))
        #expect(b.receive(beat).commits == [])
        #expect(b.logSynced(through: LSN(2)).commits == [])
        #expect(b.receive(beat).commits == [LSN(2)])
    }

    @Test("entries that came before are not appended twice, entries after a gap not at all")
    func follow() throws {
        var b = Stage.following()
        let session = try #require(b.followed)
        func append(_ range: ClosedRange<UInt64>) -> Message {
            let run = Run(starts: [Position(3, range.lowerBound)], last: Position(3, range.upperBound))
            return Message(Epoch(3), session, .append(run, committed: LSN(1)))
        }
        #expect(b.receive(append(3...4)) == [])
        let both = Run(starts: [Position(3, 2)], last: Position(3, 3))
        #expect(b.receive(append(2...3)) == [.append(both)])
        #expect(b.receive(append(2...3)) == [])
        #expect(b.receive(append(3...4)) == [.append(Run(Position(3, 4)))])
    }

    @Test("a returning node cuts its tail, and follows only when that is off the disk")
    func cuts() throws {
        var (b, session) = try joining()
        let accepted = Message(Epoch(3), session, .joinAccepted(common: Position(1, 1)))
        #expect(b.receive(accepted) == [.cut(to: LSN(1))])
        #expect(b.followed == nil)
        #expect(b.later(milliseconds: 50).acknowledged == [])
        #expect(b.logCut(to: LSN(1)).acknowledged == [LSN(1)])
        #expect(b.followed == session)
        #expect(b.log.last == Position(1, 1) && b.synced == LSN(1))
    }

    @Test("frames of the session that come during the cut are neither taken nor called stale")
    func duringTheCut() throws {
        var (b, session) = try joining()
        _ = b.receive(Message(Epoch(3), session, .joinAccepted(common: Position(1, 1))))
        for body in [
            Message.Body.heartbeat(committed: LSN(1), synced: LSN(1), applied: LSN(1)), .confirm(round: 1),
            .append(Run(Position(3, 2)), committed: LSN(1)),
        ] {
            #expect(b.receive(Message(Epoch(3), session, body)) == [])
        }
        _ = b.logCut(to: LSN(1))
        #expect(b.log.last == Position(1, 1))
    }

    @Test("a cut under way is waited for when its session ends, however long it takes")
    func waitsForTheCut() throws {
        var (b, session) = try joining()
        _ = b.receive(Message(Epoch(3), session, .joinAccepted(common: Position(1, 1))))
        _ = b.peerDisconnected()
        _ = b.witnessConnected()
        _ = b.witnessSays(.current(Stage.register(5, 3, .a, .paired)))
        _ = b.peerRefused()
        for _ in 0..<40 { _ = b.later(milliseconds: 50) }
        #expect(b.claims == nil)
        #expect(b.obstacleToClaim == nil)
        _ = b.logCut(to: LSN(1))
        #expect(b.log.last == Position(1, 1))
        #expect(b.claims != nil)
    }

    @Test("a node whose log is a beginning of the primary's has nothing to cut")
    func nothingToCut() throws {
        var (b, session) = try joining()
        #expect(b.receive(Message(Epoch(3), session, .joinAccepted(common: Position(2, 3)))).acknowledged == [LSN(3)])
        #expect(b.followed == session)
    }

    @Test("a cut never falls below what the database holds: the node halts instead")
    func neverBelowApplied() throws {
        var (b, session) = try joining(applied: 2)
        let effects = b.receive(Message(Epoch(3), session, .joinAccepted(common: Position(1, 1))))
        #expect(effects == [.halt(.cutBelowApplied(common: Position(1, 1), applied: LSN(2)))])
    }

    @Test("a position that its log does not have is none to cut back to: the node halts")
    func unknownCommon() throws {
        var (b, session) = try joining()
        let effects = b.receive(Message(Epoch(3), session, .joinAccepted(common: Position(3, 1))))
        #expect(effects == [.halt(.noCommonPosition)])
    }

    @Test("a join that was accepted for another session is none of this node's")
    func otherSession() throws {
        var (b, _) = try joining()
        let other = UniqueNumber(process: 99, counter: 1)
        #expect(b.receive(Message(Epoch(3), other, .joinAccepted(common: Position(1, 1)))) == [])
        #expect(b.joining != nil)
    }

    @Test("a join without an answer is asked again, in a new session")
    func again() throws {
        var (b, session) = try joining()
        for _ in 0..<13 {
            _ = b.receive(Stage.hello(from: .a, epoch: 3, leads: true, synced: Position(3, 2)))
            _ = b.later(milliseconds: 50)
        }
        #expect(b.joining != nil && b.joining != session)
    }

    @Test("a refused standby asks again later, and says why meanwhile")
    func refused() throws {
        var (b, session) = try joining()
        #expect(b.receive(Message(Epoch(3), session, .joinRefused(.flapping))).joinsIn == nil)
        guard case .standby(let standby) = b.role else { return }
        #expect(standby.refusal == .flapping)
        _ = b.receive(Stage.hello(from: .a, epoch: 3, leads: true, synced: Position(3, 2)))
        #expect(b.later(milliseconds: 100).joinsIn != nil)
    }

    @Test("a primary that gets entries of its own epoch halts: two lead it")
    func twoPrimaries() {
        var a = Stage.paired()
        let append = Message(Epoch(3), Stage.session, .append(Run(Position(3, 2)), committed: LSN(1)))
        #expect(a.receive(append) == [.halt(.twoPrimaries(Epoch(3)))])
    }
}
