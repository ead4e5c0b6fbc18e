import Testing

@testable import Replication

/// R5 and R7: who wins leads, in an epoch of its own, once that is on disk; and nothing else makes a leader.
struct LeaderTests {
    /// Node b, its log e3:1 synced and e3:2 not yet, has asked for e4.
    private func asked() throws -> Replica {
        var b = Stage.following()
        let session = try #require(b.followed)
        _ = b.receive(Message(Epoch(3), session, .append(Run(Position(3, 2)), committed: LSN(1))))
        _ = b.later(milliseconds: 300)
        _ = b.saved()
        _ = b.witnessSays(.current(Stage.register(3, 3, .a, .paired, floor: Position(3, 1))))
        return b
    }

    @Test("a winner marks its epoch, and serves once mark and epoch are on disk, whichever is last")
    func serves() throws {
        var b = try asked()
        let won = b.witnessSays(.won(Stage.register(4, 4, .b, .solo)))
        #expect(won.contains(.mark(Position(4, 3), forced: false)))
        #expect(won.saves?.epoch == Epoch(4))
        #expect(!b.serves)
        var c = b

        _ = b.logSynced(through: LSN(3))
        #expect(!b.serves && b.propose() == nil && b.read() == nil)
        _ = b.saved()
        #expect(b.serves)

        _ = c.saved()
        #expect(!c.serves && c.propose() == nil && c.read() == nil)
        _ = c.logSynced(through: LSN(3))
        #expect(c.serves)
    }

    @Test("a winner commits all of its log, as far as that and the epoch are on disk, and leads solo")
    func commitsAll() throws {
        var b = try asked()
        #expect(b.witnessSays(.won(Stage.register(4, 4, .b, .solo))).commits == [])
        #expect(b.logSynced(through: LSN(2)).commits == [])
        #expect(b.saved().commits == [LSN(2)])
        #expect(b.logSynced(through: LSN(3)).commits == [LSN(3)])
        #expect(b.needsStandby == false)
    }

    @Test("a node leads only by the answer to the claim that it asked last")
    func onlyItsClaim() throws {
        var b = try asked()
        _ = b.registerAnswered(
            .init(
                number: UniqueNumber(process: 0xB, counter: 1), outcome: .won(Stage.register(4, 4, .b, .solo))))
        #expect(b.claims == Epoch(4))
        _ = b.witnessSays(.lost(Stage.register(4, 4, .b, .solo)))
        #expect(!b.serves)
        #expect(b.claims == nil || b.claims == Epoch(6))
    }

    @Test("a's epochs are odd and b's even, and a claim is above register, disk and all claims before")
    func numbers() {
        #expect(NodeName.a.epoch(above: Epoch(4)) == Epoch(5))
        #expect(NodeName.a.epoch(above: Epoch(5)) == Epoch(7))
        #expect(NodeName.b.epoch(above: Epoch(5)) == Epoch(6))
        #expect(Epoch(7).owner == .a && Epoch(8).owner == .b)

        var record = Stage.record(.a, epoch: 3, register: Stage.register(5, 3, .a))
        record.claimed = Epoch(9)
        var a = Replica(
            name: .a, record: record, log: EpochTable(epochs: 3), applied: .zero, process: 1, spareDisk: Stage.spare,
            now: Instant(nanoseconds: 0))
        _ = a.witnessConnected()
        _ = a.witnessSays(.current(record.register))
        _ = a.peerRefused()
        #expect(a.claims == Epoch(11))
    }

    @Test("a winner says nothing in its epoch before that is on disk")
    func silentUntilSaved() throws {
        var b = try asked()
        let won = b.witnessSays(.won(Stage.register(4, 4, .b, .solo)))
        #expect(won.messages.allSatisfy { $0.epoch < Epoch(4) })
        #expect(b.later(milliseconds: 50).messages.allSatisfy { $0.epoch < Epoch(4) })
        #expect(
            b.receive(
                Message(
                    Epoch(3), Stage.session,
                    .heartbeat(
                        committed: .zero, synced: .zero, applied: .zero))
            ).messages == [])
        #expect(b.saved().messages.map(\.epoch) == [Epoch(4)])
    }

    @Test("a standby joins in an epoch only once that is on its disk")
    func joinsOnceSaved() {
        var b = Stage.started(.b)
        _ = b.peerConnected()
        let effects = b.receive(Stage.hello(from: .a, epoch: 3, leads: true, synced: Position(3, 1)))
        #expect(effects.saves?.epoch == Epoch(3))
        #expect(effects.messages == [])
        #expect(b.later(milliseconds: 50).messages.allSatisfy { $0.epoch == Epoch(1) })
        #expect(b.saved().joinsIn != nil)
    }

    @Test("a standby does not go back to a leader of an older epoch")
    func notBack() {
        var b = Stage.started(.b, epoch: 4)
        _ = b.peerConnected()
        _ = b.receive(Stage.hello(from: .a, epoch: 3, leads: true, synced: Position(3, 1)))
        #expect(b.isIdle)
    }
}
