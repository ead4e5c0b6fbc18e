import Testing

@testable import Replication

/// R8: only frames of the current epoch and session count, and a newer epoch fences.
struct SessionTests {
    private let other = UniqueNumber(process: 99, counter: 1)

    @Test("a primary answers an acknowledgement of another session with stale, and does not count it")
    func otherSession() {
        var a = Stage.paired()
        _ = a.propose()
        _ = a.logSynced(through: LSN(2))
        #expect(a.receive(Stage.acknowledge(2, in: other)) == [.send(Message(Epoch(3), other, .stale))])
        #expect(a.committed == LSN(1))
    }

    @Test("a standby answers entries of another session with stale, and does not take them")
    func otherSessionsEntries() {
        var b = Stage.following()
        let append = Message(Epoch(3), other, .append(Run(Position(3, 2)), committed: LSN(2)))
        #expect(b.receive(append) == [.send(Message(Epoch(3), other, .stale))])
        #expect(b.log.last == Position(3, 1))
    }

    @Test("a frame of an older epoch is answered with stale in the newer one")
    func olderEpoch() {
        var a = Stage.paired()
        let old = Message(Epoch(2), Stage.session, .acknowledge(synced: LSN(1), applied: LSN(1)))
        #expect(a.receive(old) == [.send(Message(Epoch(3), Stage.session, .stale))])
    }

    @Test("a primary told that its session is stale goes on without it, a standby joins anew")
    func told() throws {
        var a = Stage.paired()
        #expect(a.witnessHears(a.receive(Message(Epoch(3), Stage.session, .stale))).change?.register.mode == .solo)

        var b = Stage.following()
        let session = try #require(b.followed)
        #expect(b.receive(Message(Epoch(3), session, .stale)).joinsIn != nil)
    }

    @Test("a standby joins anew once its disk has what its log has")
    func diskBehind() throws {
        var b = Stage.following()
        let session = try #require(b.followed)
        _ = b.receive(Message(Epoch(3), session, .append(Run(Position(3, 2)), committed: LSN(1))))
        #expect(b.receive(Message(Epoch(3), session, .stale)).joinsIn == nil)
        #expect(b.joining == nil)
        #expect(b.logSynced(through: LSN(2)).joinsIn != nil)
    }

    /// Every 50 ms the standby says who it is, and nothing else.
    private func hears(_ a: inout Replica, forMilliseconds time: UInt64) -> [Replica.Effect] {
        a.hears(Stage.hello(from: .b, epoch: 3, synced: Position(3, 1)), forMilliseconds: time)
    }

    @Test("a standby that is heard, and of whose session nothing comes for 300 ms, is lost")
    func sessionSilent() {
        var a = Stage.paired()
        _ = hears(&a, forMilliseconds: 250)
        #expect(a.leading?.session != nil)
        #expect(a.witnessHears(hears(&a, forMilliseconds: 50)).change?.register.mode == .solo)
    }

    @Test("a clock that goes back makes no silence longer")
    func clockBack() {
        var a = Stage.paired()
        _ = hears(&a, forMilliseconds: 250)
        let before = a.now
        a.clock(Instant(nanoseconds: 0))
        #expect(a.now == before)
        #expect(a.leading?.session != nil)
        a.clock(Instant(nanoseconds: 50_000_000))
        #expect(a.witnessHears(a.tick()).change?.register.mode == .solo)
    }

    @Test("one that was asked to claim has stopped, and is waited for")
    func askedToClaim() {
        var a = Stage.paired()
        #expect(a.switchOver().obstacle == nil)
        _ = hears(&a, forMilliseconds: 950)
        #expect(a.leading?.session != nil)
        _ = hears(&a, forMilliseconds: 50)
        #expect(a.leading?.session == nil)
    }

    @Test("stale for another session ends nothing")
    func staleOther() {
        var (a, b) = (Stage.paired(), Stage.following())
        #expect(a.receive(Message(Epoch(3), other, .stale)) == [])
        #expect(a.failoverObstacle == nil)
        #expect(b.receive(Message(Epoch(3), other, .stale)) == [])
        #expect(b.followed != nil)
    }

    @Test("a newer epoch fences a primary at once, and makes it reread the register", arguments: [true, false])
    func fences(byHello: Bool) {
        var a = Stage.paired()
        let beat = Message.Body.heartbeat(committed: .zero, synced: .zero, applied: .zero)
        let newer = byHello ? Stage.hello(from: .b, epoch: 4) : Message(Epoch(4), other, beat)
        let effects = a.receive(newer)
        #expect(a.role == .fenced)
        #expect(!a.serves && a.propose() == nil && a.read() == nil)
        #expect(effects.saves?.epoch == Epoch(4))
        #expect(effects.questions == [])
        #expect(a.saved().questions == [.read])
    }

    @Test("a fenced node acknowledges and commits nothing, and follows the next leader")
    func fenced() {
        var a = Stage.paired()
        _ = a.propose()
        _ = a.logSynced(through: LSN(2))
        _ = a.receive(Stage.hello(from: .b, epoch: 4, synced: Position(4, 2)))
        #expect(a.receive(Stage.acknowledge(2)).commits == [])
        _ = a.receive(Stage.hello(from: .b, epoch: 4, leads: true, synced: Position(4, 2)))
        #expect(a.saved().joinsIn != nil || a.joining != nil)
    }

    @Test("a seat that knows a newer epoch causes a reread and nothing else")
    func seatKnows() {
        var a = Stage.paired()
        let effects = a.newerEpochHeard(Epoch(4))
        #expect(effects.questions == [.read])
        #expect(effects.count == 1)
        #expect(a.serves)
        #expect(a.newerEpochHeard(Epoch(3)) == [])
    }

    @Test("a standby that restarted without the link breaking ends its old session")
    func restarted() {
        var a = Stage.paired()
        let effects = a.receive(Stage.hello(from: .b, epoch: 3, synced: Position(3, 1), starts: 2))
        #expect(a.witnessHears(effects).change?.register.mode == .solo)
    }
}
