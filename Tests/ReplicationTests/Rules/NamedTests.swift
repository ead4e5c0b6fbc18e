import Testing

@testable import Replication

/// R6: a node that the register names and that does not lead claims again, after it has asked the other; and an unnamed
/// one leaves the claim to it.
struct NamedTests {
    private let register = Stage.register(5, 3, .a, .solo)

    /// Node a after a restart in e3, its log e3:1, e3:2; the register, as just read, names it.
    private func named() -> Replica {
        var a = Stage.started(.a, epoch: 3, register: register, log: EpochTable(epochs: 3, 3), applied: LSN(1))
        _ = a.witnessConnected()
        _ = a.witnessSays(.current(register))
        return a
    }

    @Test("a named node that was restarted does not go on in its epoch: it claims the next one")
    func nextEpoch() throws {
        var a = named()
        #expect(!a.serves)
        #expect(a.claims == nil)
        _ = a.peerRefused()
        #expect(a.claims == Epoch(5))
        _ = a.saved()
        let change = try #require(a.witnessSays(.current(register)).change)
        #expect(change.register == Stage.register(5, 5, .a, .solo, floor: Position(3, 2)))
    }

    @Test("a named node asks the other first: as long as that may answer, it does not claim")
    func asksFirst() {
        var a = named()
        _ = a.later(milliseconds: 299)
        #expect(a.claims == nil)
        _ = a.later(milliseconds: 1)
        #expect(a.claims == Epoch(5))
    }

    @Test("a named node that meets a leader follows it")
    func follows() {
        var a = named()
        _ = a.peerConnected()
        _ = a.receive(Stage.hello(from: .b, epoch: 4, leads: true, synced: Position(4, 3)))
        #expect(a.claims == nil)
        #expect(a.saved().joinsIn != nil)
    }

    /// It won e4 and ended before that was on its disk, claimed e6 with e4's mark as the floor, and ended again with
    /// the claim on its way: were the mark cut, nobody could ever claim once that has arrived.
    @Test("a node whose log holds the mark of a newer epoch keeps it, and does not join the older one's leader")
    func keepsItsMark() {
        var b = Stage.started(
            .b, epoch: 3, register: Stage.register(4, 3), log: EpochTable(epochs: 3, 4), applied: LSN(1))
        _ = b.witnessConnected()
        _ = b.peerConnected()
        _ = b.receive(Stage.hello(from: .a, epoch: 3, leads: true, synced: Position(3, 1)))
        #expect(b.saved().joinsIn == nil)
        // One that leads a newer epoch it follows.
        _ = b.receive(Stage.hello(from: .a, epoch: 5, leads: true, synced: Position(5, 2)))
        #expect(b.saved().joinsIn != nil)
    }

    @Test("a named node that is as far as the other claims at once")
    func further() {
        var a = named()
        _ = a.peerConnected()
        _ = a.receive(Stage.hello(from: .b, epoch: 3, synced: Position(3, 2)))
        #expect(a.claims == Epoch(5))
    }

    @Test("a named node takes the entries that it lacks before it claims")
    func takes() throws {
        var a = named()
        _ = a.peerConnected()
        let hello = Stage.hello(from: .b, epoch: 3, synced: Position(3, 4))
        let run = Run(starts: [Position(3, 3)], last: Position(3, 4))
        #expect(a.receive(hello).bodies == [.fetch(EpochTable(epochs: 3, 3))])
        #expect(a.receive(Message(Epoch(3), .none, .fetched(run, last: run.last))) == [.append(run)])
        #expect(a.claims == nil)
        _ = a.logSynced(through: LSN(4))
        #expect(a.claims == Epoch(5))
    }

    @Test("entries that begin before the end of its log are not taken: the logs have parted")
    func takesNoOther() {
        var a = named()
        _ = a.peerConnected()
        _ = a.receive(Stage.hello(from: .b, epoch: 4, synced: Position(4, 4)))
        let run = Run(starts: [Position(4, 2)], last: Position(4, 4))
        #expect(
            !a.receive(Message(Epoch(4), .none, .fetched(run, last: run.last))).contains { effect in
                if case .append = effect { true } else { false }
            })
        #expect(a.log == EpochTable(epochs: 3, 3))
    }

    @Test("a node takes entries only when it has read in this life that the register names it")
    func readFirst() {
        var a = Stage.started(.a, epoch: 3, register: register, log: EpochTable(epochs: 3, 3), applied: LSN(1))
        _ = a.peerConnected()
        #expect(a.receive(Stage.hello(from: .b, epoch: 3, synced: Position(3, 4))).bodies == [])
    }

    @Test("a node that is asked lends what follows the last common position")
    func lends() {
        var b = Stage.started(.b, epoch: 3, log: EpochTable(epochs: 3, 3, 3), applied: LSN(1))
        _ = b.peerConnected()
        let fetch = Message(Epoch(3), .none, .fetch(EpochTable(epochs: 3, 3)))
        #expect(b.receive(fetch) == [.lend(after: Position(3, 2))])
    }

    @Test("an unnamed node leaves the claim to the named one, and claims by R4 when nothing comes of it")
    func unnamed() {
        var b = Stage.following()
        _ = b.peerDisconnected()
        _ = b.peerConnected()
        _ = b.receive(Stage.hello(from: .a, epoch: 3, synced: Position(3, 1)))
        for _ in 0..<11 {
            _ = b.later(milliseconds: 50)
            _ = b.receive(Stage.hello(from: .a, epoch: 3, synced: Position(3, 1)))
            #expect(b.claims == nil)
        }
        _ = b.later(milliseconds: 50)
        #expect(b.claims == Epoch(4))
    }

    @Test("a node whose register names it in an epoch below its own does not claim")
    func wentBack() {
        var a = Stage.started(.a, epoch: 5, register: register, log: EpochTable(epochs: 3, 3), applied: LSN(1))
        _ = a.witnessConnected()
        _ = a.witnessSays(.current(register))
        _ = a.peerRefused()
        #expect(a.claims == nil)
        #expect(a.obstacleToClaim == .epochWentBack(Epoch(3)))
    }
}
