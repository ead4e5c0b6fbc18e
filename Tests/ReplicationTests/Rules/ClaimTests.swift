import Testing

@testable import Replication

/// R4: a standby stops before it claims, and claims only what the register allows.
struct ClaimTests {
    /// Node b after 300 ms of silence.
    private func claiming() -> Replica {
        var b = Stage.following()
        _ = b.later(milliseconds: 300)
        return b
    }
    private var paired: Register { Stage.register(3, 3, .a, .paired, floor: Position(3, 1)) }

    @Test("a standby claims after 300 ms of silence, not before")
    func silence() {
        var b = Stage.following()
        _ = b.later(milliseconds: 299)
        #expect(b.claims == nil)
        let effects = b.later(milliseconds: 1)
        #expect(b.claims == Epoch(4))
        #expect(effects.saves?.claimed == Epoch(4))
        #expect(effects.questions == [.read])
    }

    private static let leads = Stage.hello(from: .a, epoch: 3, leads: true, synced: Position(3, 1))

    /// Every 50 ms the primary says that it leads, and nothing else.
    private func hears(_ b: inout Replica, forMilliseconds time: UInt64) -> [Replica.Effect] {
        b.hears(Self.leads, forMilliseconds: time)
    }

    @Test("a primary that is heard, and of whose session nothing comes for 300 ms, is lost")
    func sessionSilent() {
        var b = Stage.following()
        _ = hears(&b, forMilliseconds: 250)
        #expect(b.followed != nil)
        let effects = hears(&b, forMilliseconds: 50)
        #expect(b.claims == Epoch(4))
        #expect(effects.questions == [.read])
    }

    @Test("where the register is against a claim, such a primary is joined anew, and again; it is not claimed from")
    func joinedAnew() throws {
        var b = Stage.followingSolo()
        let session = try #require(b.followed)
        #expect(hears(&b, forMilliseconds: 350).joinsIn != nil)
        let first = try #require(b.joining)
        #expect(first != session)
        _ = hears(&b, forMilliseconds: 650)
        let second = try #require(b.joining)
        #expect(second != first && b.claims == nil)
    }

    @Test("a standby that hears nothing, and that the register forbids to claim, acknowledges nothing any more")
    func deaf() {
        var b = Stage.followingSolo()
        #expect(b.later(milliseconds: 299).acknowledged == [LSN(1)])
        _ = b.later(milliseconds: 1)
        #expect(b.later(milliseconds: 50).acknowledged == [])
        #expect(b.claims == nil)
    }

    @Test("a primary that answers no join for 600 ms is lost, whatever else is heard of it")
    func joinUnanswered() {
        var b = Stage.started(.b, epoch: 3, register: paired, log: EpochTable(epochs: 3))
        _ = b.witnessConnected()
        _ = b.witnessSays(.current(paired))
        _ = b.peerConnected()
        _ = hears(&b, forMilliseconds: 550)
        #expect(b.joining != nil)
        _ = hears(&b, forMilliseconds: 50)
        #expect(b.claims == Epoch(4))
    }

    @Test("a standby that is refused on every route claims at once, and only then")
    func refused() {
        var b = Stage.following()
        _ = b.peerDisconnected()
        #expect(b.claims == nil)
        _ = b.peerRefused()
        #expect(b.claims == Epoch(4))
    }

    @Test("a standby that claims acknowledges nothing any more")
    func acknowledgesNothing() throws {
        var b = Stage.following()
        let session = try #require(b.followed)
        _ = b.receive(Message(Epoch(3), session, .append(Run(Position(3, 2)), committed: LSN(1))))
        _ = b.later(milliseconds: 300)
        #expect(b.logSynced(through: LSN(2)).acknowledged == [])
        #expect(b.later(milliseconds: 50).acknowledged == [])
        #expect(b.receive(Message(Epoch(3), session, .append(Run(Position(3, 3)), committed: LSN(2)))) == [])
    }

    @Test("a standby that claims confirms no read any more")
    func confirmsNothing() throws {
        var b = Stage.following()
        let session = try #require(b.followed)
        let ask = Message(Epoch(3), session, .confirm(round: 5))
        #expect(b.receive(ask).bodies == [.confirmed(round: 5)])
        _ = b.later(milliseconds: 300)
        #expect(b.receive(ask) == [])
    }

    @Test("a number is claimed only after it is on disk and the register was read, whichever is last")
    func diskFirst() throws {
        var b = claiming()
        #expect(b.witnessSays(.current(paired)).change == nil)
        let change = try #require(b.saved().change)
        #expect(change.version == 3)
        #expect(change.register == Stage.register(3, 4, .b, .solo, floor: Position(3, 1)))

        var c = claiming()
        #expect(c.saved() == [])
        #expect(c.witnessSays(.current(paired)).change?.version == 3)
    }

    @Test("a claim is only for the version that was read last")
    func versionRead() throws {
        var b = claiming()
        _ = b.saved()
        let change = try #require(b.witnessSays(.current(Stage.register(9, 3, .a, .paired))).change)
        #expect(change.version == 9)
    }

    @Test(
        "a standby does not claim against the register",
        arguments: [
            ("solo", Stage.register(4, 3, .a, .solo), Replica.ClaimObstacle.otherLeadsSolo),
            ("another epoch", Stage.register(4, 5, .a, .paired), .otherEpoch(Epoch(5))),
            ("another disk", Stage.register(4, 3, .a, disks: PerNode(a: Stage.diskA, b: Stage.spare)), .unknownDisk),
            ("floor above its log", Stage.register(4, 3, .a, floor: Position(3, 2)), .behindFloor(Position(3, 2))),
            ("more starts than its disk knows", Stage.register(4, 3, .a, starts: PerNode(a: 1, b: 2)), .diskForgot),
        ])
    func against(_: String, register: Register, obstacle: Replica.ClaimObstacle) {
        var b = claiming()
        _ = b.saved()
        #expect(b.witnessSays(.current(register)).change == nil)
        #expect(b.isIdle)
        #expect(b.obstacleToClaim == obstacle)
        // And it does not spend a number to find the same out again.
        _ = b.later(milliseconds: 50)
        #expect(b.claims == nil)
    }

    @Test("an entry that is not on its disk does not count for the floor")
    func floorCountsSynced() throws {
        var b = Stage.following()
        let session = try #require(b.followed)
        _ = b.receive(Message(Epoch(3), session, .append(Run(Position(3, 2)), committed: LSN(1))))
        _ = b.later(milliseconds: 300)
        _ = b.saved()
        #expect(b.witnessSays(.current(Stage.register(4, 3, .a, floor: Position(3, 2)))).change == nil)
    }

    @Test("a claim that was lost leaves the way open to a new join, and a new claim takes a new number")
    func lost() throws {
        var b = claiming()
        _ = b.saved()
        _ = b.witnessSays(.current(paired))
        _ = b.witnessSays(.lost(Stage.register(4, 3, .a, .solo)))
        #expect(b.isIdle)
        let effects = b.receive(Stage.hello(from: .a, epoch: 3, leads: true, synced: Position(3, 1)))
        #expect(effects.joinsIn != nil)

        var c = claiming()
        _ = c.saved()
        _ = c.witnessSays(.current(paired))
        let again = c.witnessSays(.lost(Stage.register(4, 3, .a, .paired, floor: Position(3, 1))))
        #expect(c.claims == Epoch(6))
        #expect(again.saves?.claimed == Epoch(6))
    }

    @Test("a claim without an answer may follow again, and its late answer counts for nothing")
    func unanswered() throws {
        var b = claiming()
        _ = b.saved()
        _ = b.witnessSays(.current(paired))
        let number = try #require(b.arbiter.pending?.number)
        for _ in 0..<10 {
            #expect(b.claims == Epoch(4))
            _ = b.receive(Stage.hello(from: .a, epoch: 3, leads: true, synced: Position(3, 1)))
            _ = b.later(milliseconds: 50)
        }
        #expect(b.joining != nil)
        _ = b.registerAnswered(.init(number: number, outcome: .won(Stage.register(4, 4, .b, .solo))))
        #expect(!b.serves)
        #expect(b.joining != nil)
    }

    @Test("a claim that the witness is not there for is given up, and a stuck disk never claims")
    func givenUp() {
        var b = claiming()
        _ = b.witnessDisconnected()
        _ = b.receive(Stage.hello(from: .a, epoch: 3, leads: true, synced: Position(3, 1)))
        _ = b.later(milliseconds: 499)
        #expect(b.claims == Epoch(4))
        _ = b.later(milliseconds: 1)
        #expect(b.claims == nil)

        var c = claiming()
        _ = c.witnessSays(.current(paired))
        for _ in 0..<100 { #expect(c.later(milliseconds: 50).change == nil) }
        #expect(c.record.claimed == Epoch(4))
    }

    @Test("a standby that the primary asks claims at once, if its disk has all that the primary names")
    func handOver() throws {
        var b = Stage.following()
        let session = try #require(b.followed)
        _ = b.receive(Message(Epoch(3), session, .append(Run(Position(3, 2)), committed: LSN(1))))
        _ = b.receive(Message(Epoch(3), session, .handOver(through: LSN(2))))
        #expect(b.claims == nil)
        _ = b.logSynced(through: LSN(2))
        _ = b.receive(Message(Epoch(3), session, .handOver(through: LSN(2))))
        #expect(b.claims == Epoch(4))
    }
}
