import Testing

@testable import Replication

/// Commit, R1 and R2: with both disks, or alone by a won change of the register.
struct CommitTests {
    @Test("a primary with a standby answers once both disks have the entry, whichever is last")
    func bothDisks() throws {
        var a = Stage.paired()
        #expect(a.propose() == Position(3, 2))
        #expect(a.logSynced(through: LSN(2)) == [])
        #expect(a.receive(Stage.acknowledge(2)) == [.commit(through: LSN(2))])

        #expect(a.propose() == Position(3, 3))
        #expect(a.receive(Stage.acknowledge(3)) == [])
        #expect(a.logSynced(through: LSN(3)) == [.commit(through: LSN(3))])
    }

    @Test("a standby that says that it works, and never has the entry, is dropped at last; one that has it is not")
    func worksForEver() {
        for isSlow in [true, false] {
            var a = Stage.paired()
            _ = a.propose()
            _ = a.logSynced(through: LSN(2))
            var said = 0
            while a.leading?.session != nil, said < 1000 {
                // The longest entry there is, on the slowest disk that will do, one after another.
                if isSlow, said % 146 == 145 {
                    _ = a.receive(Stage.acknowledge(UInt64(said / 146 + 2)))
                    _ = a.propose()
                    _ = a.logSynced(through: LSN(UInt64(said / 146 + 3)))
                }
                _ = a.receive(Message(Epoch(3), Stage.session, .working))
                _ = a.later(milliseconds: a.timings.suspectAfter - 1)
                said += 1
            }
            #expect(isSlow ? said == 1000 : said > 146 && said < 180, "\(said)")
        }
    }

    @Test("a solo primary answers once its own disk has the entry")
    func ownDisk() {
        var a = Stage.solo()
        #expect(a.propose() == Position(3, 2))
        #expect(a.logSynced(through: LSN(2)) == [.commit(through: LSN(2))])
    }

    @Test("a primary answers without its standby only after it has won solo")
    func notBeforeSolo() throws {
        var a = Stage.paired()
        _ = a.propose()
        let effects = a.losesStandby()
        #expect(try #require(effects.change).version == 3)
        #expect(try #require(effects.change).register.mode == .solo)
        #expect(a.logSynced(through: LSN(2)) == [])
        #expect(a.mayPropose == false)
        #expect(a.witnessSays(.won(Stage.register(4, 3, .a, .solo))).commits == [LSN(2)])
        #expect(a.mayPropose)
    }

    @Test("a register that reads solo is no leave: solo is asked for again, at the version read")
    func readingSoloIsNoLeave() throws {
        var a = Stage.paired()
        _ = a.propose()
        _ = a.losesStandby()
        _ = a.logSynced(through: LSN(2))
        let effects = a.witnessSays(.lost(Stage.register(4, 3, .a, .solo)))
        #expect(effects.commits == [])
        #expect(try #require(effects.change).version == 4)
        #expect(a.needsStandby == true)
        #expect(a.witnessSays(.current(Stage.register(5, 3, .a, .solo))).commits == [])
    }

    @Test("solo won for a request that a join came after counts for nothing")
    func joinVoidsSolo() {
        var a = Stage.paired()
        _ = a.propose()
        _ = a.losesStandby()
        _ = a.logSynced(through: LSN(2))
        _ = a.peerConnected()
        _ = a.receive(Stage.join(log: EpochTable(epochs: 3), synced: 1))
        _ = a.losesStandby()
        let effects = a.witnessSays(.won(Stage.register(4, 3, .a, .solo)))
        #expect(effects.commits == [])
        #expect(a.needsStandby == true)
        #expect(effects.change?.version == 4)
    }

    @Test("solo won while a standby has joined counts for nothing")
    func standbyThere() {
        var a = Stage.paired()
        _ = a.propose()
        _ = a.losesStandby()
        _ = a.logSynced(through: LSN(2))
        _ = a.peerConnected()
        _ = a.receive(Stage.join(log: EpochTable(epochs: 3), synced: 1))
        #expect(a.witnessSays(.won(Stage.register(4, 3, .a, .solo))).commits == [])
        #expect(a.needsStandby == true)
    }

    @Test("no answer is neither won nor lost: solo is asked for again at the version last read")
    func noAnswer() throws {
        var a = Stage.paired()
        _ = a.propose()
        _ = a.logSynced(through: LSN(2))
        let first = a.losesStandby()
        let number = a.arbiter.pending?.number ?? .none
        let second = a.later(milliseconds: 500)
        #expect(try #require(second.change).version == 3)
        #expect(first.change?.version == 3)
        // The first request's answer comes late: it is not the answer to what is asked now.
        let late = a.registerAnswered(.init(number: number, outcome: .won(Stage.register(4, 3, .a, .solo))))
        #expect(late.commits == [])
        #expect(a.needsStandby == true)
    }

    @Test("a witness that is gone has answered nothing")
    func witnessGone() {
        var a = Stage.paired()
        _ = a.propose()
        _ = a.logSynced(through: LSN(2))
        _ = a.losesStandby()
        let number = a.arbiter.pending?.number ?? .none
        _ = a.witnessDisconnected()
        let late = a.registerAnswered(.init(number: number, outcome: .won(Stage.register(4, 3, .a, .solo))))
        #expect(late == [])
        #expect(a.needsStandby == true)
    }

    @Test(
        "a register that names another, or a newer epoch, fences",
        arguments: [
            Stage.register(4, 4, .b, .solo), Stage.register(4, 5, .a, .solo), Stage.register(4, 3, .b, .paired),
        ])
    func outranked(register: Register) {
        var a = Stage.paired()
        _ = a.propose()
        _ = a.later(milliseconds: 1000)
        _ = a.witnessSays(.current(register))
        #expect(a.role == .fenced)
        #expect(a.logSynced(through: LSN(2)).commits == [])
        #expect(a.propose() == nil)
        #expect(a.read() == nil)
        #expect(!a.serves)
    }

    @Test("a primary that has lost its standby and its seats gives the standby time to claim")
    func isolated() {
        var a = Stage.paired()
        _ = a.seatsConnected(3)
        _ = a.seatsConnected(0)
        #expect(a.losesStandby().questions == [])
        #expect(a.later(milliseconds: 599).questions == [])
        #expect(a.later(milliseconds: 1).questions == [.read])
        #expect(a.witnessSays(.current(a.record.register)).change?.register.mode == .solo)
    }

    @Test("a primary that the standby has sent away gives it time to claim as well")
    func dismissed() {
        var a = Stage.paired()
        _ = a.seatsConnected(3)
        #expect(a.peerDisconnected(dismissed: true).questions == [])
        #expect(a.later(milliseconds: 599).questions == [])
        #expect(a.later(milliseconds: 1).questions == [.read])
        #expect(a.witnessSays(.current(a.record.register)).change?.register.mode == .solo)
    }

    @Test("a primary that does not hear the witness does not ask for solo: it would never learn that it has won")
    func deaf() {
        var a = Stage.paired()
        #expect(a.peerDisconnected().questions == [.read])
        // The witness may well hear it.
        for _ in 0..<100 { #expect(a.later(milliseconds: 50).change == nil) }
        #expect(a.witnessSays(.current(a.record.register)).change?.register.mode == .solo)
    }

    @Test("a primary that still has seats asks for solo at once")
    func notIsolated() {
        var a = Stage.paired()
        _ = a.seatsConnected(3)
        #expect(a.losesStandby().change?.register.mode == .solo)
    }

    @Test("a standby that beats but does not progress for a second is dropped")
    func stalledStandby() {
        var a = Stage.paired()
        _ = a.propose()
        _ = a.logSynced(through: LSN(2))
        for _ in 0..<19 {
            #expect(a.later(milliseconds: 50).change == nil)
            _ = a.receive(Stage.acknowledge(1))
        }
        #expect(a.witnessHears(a.later(milliseconds: 50)).change?.register.mode == .solo)
    }

    @Test("a silent standby is dropped after 300 ms")
    func silentStandby() {
        var a = Stage.paired()
        #expect(a.later(milliseconds: 299).change == nil)
        #expect(a.witnessHears(a.later(milliseconds: 1)).change?.register.mode == .solo)
    }
}
