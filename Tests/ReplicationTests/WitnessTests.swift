import Testing

@testable import Replication

/// The register's keeper: compare-and-set, answers only from what is on disk, caution after a reboot (R12).
struct WitnessTests {
    private let pair = RandomID(high: 7, low: 7)

    private func witness(rebooted: Bool = false, _ register: Register = Stage.register(5, 3, .a)) -> Witness {
        let record = Witness.Record(
            id: RandomID(high: 9, low: 9), registers: [.init(id: pair, name: "hotline", register: register)])
        return Witness(record: record, start: 2, machineRebooted: rebooted)
    }
    private func number(_ counter: UInt64) -> UniqueNumber { UniqueNumber(process: 1, counter: counter) }
    private func read(_ counter: UInt64) -> RegisterRequest { RegisterRequest(number: number(counter), action: .read) }
    private func set(_ counter: UInt64, at version: UInt64, _ register: Register) -> RegisterRequest {
        RegisterRequest(number: number(counter), action: .compareAndSet(version: version, register: register))
    }
    private func install(_ counter: UInt64, _ register: Register) -> RegisterRequest {
        RegisterRequest(number: number(counter), action: .install(register))
    }
    private func testify(_ name: NodeName, _ register: Register, leads: Bool = false) -> RegisterRequest {
        RegisterRequest(number: number(1), action: .testify(Testimony(node: name, register: register, leads: leads)))
    }
    private func ask(_ witness: inout Witness, _ request: RegisterRequest, start: UInt64 = 2) -> [Witness.Effect] {
        witness.receive(request, pair: pair, named: "hotline", start: start, client: 8)
    }
    private func answer(_ counter: UInt64, _ outcome: RegisterAnswer.Outcome) -> Witness.Effect {
        .answer(client: 8, RegisterAnswer(number: number(counter), outcome: outcome))
    }
    private func saved(_ effects: [Witness.Effect]) -> Register? {
        effects.compactMap { if case .save(let record) = $0 { record.registers.first?.register } else { nil } }.last
    }

    @Test("a change is won at the version that the register has, and is answered once it is on disk")
    func won() {
        var witness = witness()
        let effects = ask(&witness, set(1, at: 5, Stage.register(99, 4, .b, .solo)))
        #expect(effects.count == 1)
        #expect(saved(effects) == Stage.register(6, 4, .b, .solo))
        #expect(witness.recordSaved() == [answer(1, .won(Stage.register(6, 4, .b, .solo)))])
    }

    @Test("a change at another version, lower or higher, is lost and changes nothing", arguments: [4, 6] as [UInt64])
    func lost(version: UInt64) {
        var witness = witness()
        let request = set(1, at: version, Stage.register(99, 4, .b, .solo))
        #expect(ask(&witness, request) == [answer(1, .lost(Stage.register(5, 3, .a)))])
    }

    @Test("of two changes at one version the second is lost")
    func second() {
        var witness = witness()
        _ = ask(&witness, set(1, at: 5, Stage.register(0, 4, .b, .solo)))
        _ = ask(&witness, set(2, at: 5, Stage.register(0, 3, .a, .solo)))
        #expect(
            witness.recordSaved() == [
                answer(1, .won(Stage.register(6, 4, .b, .solo))), answer(2, .lost(Stage.register(6, 4, .b, .solo))),
            ])
    }

    @Test("the epoch never goes back")
    func epoch() {
        var witness = witness()
        let effects = ask(&witness, set(1, at: 5, Stage.register(0, 2, .b, .solo)))
        #expect(effects == [answer(1, .lost(Stage.register(5, 3, .a)))])
    }

    @Test("a read, too, is answered only from what is on disk")
    func readWaits() {
        var witness = witness()
        #expect(ask(&witness, read(1)) == [answer(1, .current(Stage.register(5, 3, .a)))])
        _ = ask(&witness, set(2, at: 5, Stage.register(0, 3, .a, .solo)))
        #expect(ask(&witness, read(3)) == [])
        #expect(witness.recordSaved().contains(answer(3, .current(Stage.register(6, 3, .a, .solo)))))
    }

    @Test("an answer waits for the record that it rests on, not for an earlier one")
    func waitsForItsRecord() {
        var witness = witness()
        _ = ask(&witness, set(1, at: 5, Stage.register(0, 3, .a, .solo)))
        _ = ask(&witness, set(2, at: 6, Stage.register(0, 3, .a, .paired)))
        _ = ask(&witness, read(3))
        #expect(witness.recordSaved() == [answer(1, .won(Stage.register(6, 3, .a, .solo)))])
        #expect(
            witness.recordSaved() == [
                answer(2, .won(Stage.register(7, 3, .a, .paired))),
                answer(3, .current(Stage.register(7, 3, .a, .paired))),
            ])
    }

    @Test("a request meant for an earlier start is refused")
    func earlierStart() {
        var witness = witness()
        let request = set(1, at: 5, Stage.register(0, 3, .a, .solo))
        #expect(ask(&witness, request, start: 1) == [answer(1, .refused(.earlierStart))])
        #expect(witness.register(of: pair)?.version == 5)
    }

    @Test("a pair that it does not know is refused, and never made up")
    func unknownPair() {
        var witness = Witness(record: .init(id: RandomID(high: 9, low: 9)), start: 2, machineRebooted: false)
        #expect(ask(&witness, read(1)) == [answer(1, .refused(.unknownPair))])
        #expect(ask(&witness, testify(.a, Stage.register(5), leads: true)) == [answer(1, .refused(.unknownPair))])
    }

    @Test("a pair's register is installed once, and answered when it is on disk")
    func install() {
        var witness = Witness(record: .init(id: RandomID(high: 9, low: 9)), start: 2, machineRebooted: false)
        let first = Stage.register(1)
        #expect(saved(ask(&witness, install(1, first))) == first)
        #expect(witness.recordSaved() == [answer(1, .won(first))])
        #expect(ask(&witness, install(2, first)) == [answer(2, .refused(.alreadyInstalled))])
    }

    @Test("a pair of the same name is another pair, and is refused")
    func nameTaken() {
        var witness = witness()
        let effects = witness.receive(
            install(1, Stage.register(9, 5)), pair: RandomID(high: 8, low: 8), named: "hotline", start: 2, client: 8)
        #expect(effects == [answer(1, .refused(.alreadyInstalled))])
    }

    @Test("a node of another pair gets nothing of this one, whatever id it names")
    func foreignPair() {
        var witness = witness()
        for request in [read(1), set(1, at: 5, Stage.register(0, 4, .b, .solo)), testify(.a, Stage.register(9))] {
            let effects = witness.receive(request, pair: pair, named: "other", start: 2, client: 8)
            #expect(effects == [answer(1, .refused(.unknownPair))])
        }
        let effects = witness.receive(install(1, Stage.register(9, 5)), pair: pair, named: "other", start: 2, client: 8)
        #expect(effects == [answer(1, .refused(.alreadyInstalled))])
        #expect(witness.register(of: pair)?.version == 5)
    }

    @Test("a leader that comes back to a witness replaces the older register there, and its doubts")
    func cameBack() {
        var witness = witness(rebooted: true)
        let newer = Stage.register(9, 5, .a)
        #expect(saved(ask(&witness, install(1, newer))) == newer)
        #expect(witness.recordSaved() == [answer(1, .won(newer))])
        #expect(saved(ask(&witness, set(2, at: 9, Stage.register(0, 5, .a, .solo)))) != nil)
    }

    @Test("a register is never replaced by one of an older version, or of an older epoch")
    func neverBack() {
        var witness = witness()
        for older in [Stage.register(5, 5, .a), Stage.register(4, 5, .a), Stage.register(9, 2, .b)] {
            #expect(ask(&witness, install(1, older)) == [answer(1, .refused(.alreadyInstalled))])
        }
    }

    @Test("a register that was meant for an earlier start is not installed")
    func installedLate() {
        var witness = Witness(record: .init(id: RandomID(high: 9, low: 9)), start: 2, machineRebooted: false)
        #expect(ask(&witness, install(1, Stage.register(1)), start: 1) == [answer(1, .refused(.earlierStart))])
    }

    @Test("after its machine has rebooted it reads, and changes nothing")
    func cautious() {
        var witness = witness(rebooted: true)
        #expect(ask(&witness, set(1, at: 5, Stage.register(0, 3, .a, .solo))) == [answer(1, .refused(.cautious))])
        #expect(ask(&witness, read(2)) == [answer(2, .current(Stage.register(5, 3, .a)))])
    }

    @Test("a restart without a reboot is no reason for caution")
    func restart() {
        var witness = witness()
        #expect(saved(ask(&witness, set(1, at: 5, Stage.register(0, 3, .a, .solo)))) != nil)
    }

    @Test("one node that does not lead is not enough, though it testifies twice; both are")
    func both() {
        var witness = witness(rebooted: true)
        let known = Stage.register(6, 4, .b, .solo)
        #expect(ask(&witness, testify(.b, known)) == [answer(1, .refused(.cautious))])
        #expect(ask(&witness, testify(.b, known)) == [answer(1, .refused(.cautious))])
        #expect(saved(ask(&witness, testify(.a, Stage.register(5, 3, .a)))) == Stage.register(7, 4, .b, .solo))
        _ = witness.recordSaved()
        #expect(saved(ask(&witness, set(2, at: 7, Stage.register(0, 4, .b, .solo)))) != nil)
    }

    @Test("one that leads is enough; the highest epoch and version heard count, also its own")
    func leader() {
        var lead = witness(rebooted: true)
        #expect(
            saved(ask(&lead, testify(.b, Stage.register(9, 4, .b, .solo), leads: true)))
                == Stage.register(10, 4, .b, .solo))
        var own = witness(rebooted: true)
        #expect(saved(ask(&own, testify(.a, Stage.register(4, 3, .a, .solo), leads: true))) == Stage.register(6, 3, .a))
    }

    @Test("a testimony that is not needed changes nothing")
    func notNeeded() {
        var witness = witness()
        #expect(
            ask(&witness, testify(.b, Stage.register(9, 4, .b, .solo), leads: true))
                == [answer(1, .current(Stage.register(5, 3, .a)))])
    }
}
