import Replication

/// The witness, with one pair's register: `witness restarted v5 e3 a paired`, or `rebooted`, its machine too.
struct ScriptedWitness: Player {
    private static let pair = RandomID(high: 7, low: 7)
    private var witness: Witness

    init(_ start: inout Words) throws {
        let rebooted = start.take("rebooted")
        if !rebooted { try start.expect("restarted") }
        let pair = Witness.Pair(id: Self.pair, name: "hotline", register: try start.register())
        witness = Witness(
            record: .init(id: RandomID(high: 9, low: 9), registers: [pair]), start: 2, machineRebooted: rebooted)
    }

    /// `asked a.1 read`, of its present start unless `start 1` comes before; or `record saved`.
    mutating func play(_ fact: inout Words) throws -> [String] {
        if fact.take("record", "saved") { return witness.recordSaved().map(show) }
        let start = try fact.take("start", else: witness.start) { try $0.count() }
        try fact.expect("asked")
        return witness.receive(try fact.request(), pair: Self.pair, named: "hotline", start: start, client: 0).map(show)
    }

    private func show(_ effect: Witness.Effect) -> String {
        switch effect {
        case .save(let record): "save \(record.registers.map(\.register.show).joined(separator: ", "))"
        case .answer(_, let answer): "answer \(answer.show)"
        }
    }
}
