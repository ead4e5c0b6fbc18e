import Replication
import TestSupport
import Testing

@testable import Wire

/// What passes the checks of the wire can't end the program behind it.
struct HostileTwinTests {
    @Test("a node goes on whatever its twin and its witness say, and can read what it has written", arguments: 0..<60)
    func node(seed: UInt64) {
        var twin = HostileTwin(seed: seed)
        for _ in 0..<1500 where !twin.isHalted { twin.step() }
        #expect(twin.unreadable == [])
    }

    @Test("a witness goes on whatever it is asked, and can read what it has written")
    func witness() throws {
        var random = SeededRandom(3)
        var witness = Witness(record: Sample.witnessFile.record, start: 2, machineRebooted: true)
        for round in 0..<5000 {
            var register = Bool.random(using: &random) ? soloRegister : pairedRegister
            let own = witness.record.registers.randomElement(using: &random)?.register ?? register
            register.version = round % 50 == 49 ? Count.messageLimit - 1 : own.version
            register.epoch = round % 70 == 69 ? Epoch(Count.messageLimit - 1) : own.epoch
            let testimony = Testimony(
                node: Bool.random(using: &random) ? .a : .b, register: register, leads: .random(using: &random))
            let actions: [RegisterRequest.Action] = [
                .read, .compareAndSet(version: own.version, register: register), .testify(testimony),
                .install(register),
            ]
            let action = actions[Int.random(in: 0..<4, using: &random)]
            let asked = WitnessEnvelope(
                pair: id(from: .random(in: 0x10...0x14, using: &random)), witness: Sample.witnessFile.record.id,
                start: 2, request: RegisterRequest(number: number, action: action))
            guard let heard = try? Codec.witnessRequest.decode(Codec.witnessRequest.encode(asked)) else { continue }
            let name = "pair \(asked.pair)"
            let effects = witness.receive(heard.request, pair: heard.pair, named: name, start: 2, client: 1)
            for case .save(let record) in effects {
                let file = WitnessFile(record: record, boot: "")
                #expect(try WitnessFile(bytes: file.bytes) == file)
                _ = witness.recordSaved()
            }
        }
    }
}
