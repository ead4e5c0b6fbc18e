import Testing

@testable import Replication

/// R12, as the nodes keep it: what they tell a witness that may have forgotten, and what they believe of it.
struct TestimonyTests {
    private func testimony(_ effects: [Replica.Effect]) -> Testimony? {
        effects.questions.compactMap { if case .testify(let testimony) = $0 { testimony } else { nil } }.first
    }

    @Test("a new connection to the witness begins with what this node knows")
    func first() {
        var b = Stage.started(.b, register: Stage.register(6, 2, .b, .solo))
        let effects = b.witnessConnected()
        #expect(testimony(effects) == Testimony(node: .b, register: Stage.register(6, 2, .b, .solo), leads: false))
        #expect(effects.count == 1)
    }

    @Test("a node that waits for a copy testifies, too: else nobody could lead, and give it one")
    func whileReseeding() throws {
        let pair = RandomID(high: 7, low: 7), own = RandomID(high: 9, low: 9)
        let register = Stage.register(6, 3, .b, .solo)
        let record = Witness.Record(id: own, registers: [.init(id: pair, name: "hotline", register: register)])
        var witness = Witness(record: record, start: 2, machineRebooted: true)
        let known = NodeRecord(
            epoch: Epoch(2), claimed: Epoch(2), disk: RandomID(high: 1, low: 5), starts: 1,
            register: Stage.register(7, 3, .b, .solo), witness: WitnessChoice(own))
        var a = Testifier(.a, known, process: 4)
        var toAnother = [a.again(), a.connected(RandomID(high: 9, low: 8))]
        toAnother.append(a.again())
        #expect(toAnother == [nil, nil, nil])
        let first = a.connected(own)
        let request = try #require(first)
        #expect(request.action == .testify(Testimony(node: .a, register: known.register, leads: false)))
        _ = witness.receive(request, pair: pair, named: "hotline", start: 2, client: 1)
        #expect(witness.cautious == [pair])
        let b = RegisterRequest(
            number: UniqueNumber(process: 5, counter: 1),
            action: .testify(Testimony(node: .b, register: Stage.register(6, 3, .b, .solo), leads: false)))
        _ = witness.receive(b, pair: pair, named: "hotline", start: 2, client: 2)
        #expect(witness.cautious.isEmpty && witness.register(of: pair)?.version == 8)
        let second = a.again()
        #expect(second?.action == request.action && second?.number != request.number)
        a.disconnected()
        let last = a.again()
        #expect(last == nil)
    }

    @Test("a node that waits for a copy goes by the witness that its leader has moved to meanwhile")
    func learnsOfAMove() {
        let own = WitnessChoice(RandomID(high: 9, low: 9)), next = WitnessChoice(RandomID(high: 9, low: 8), number: 1)
        let before = NodeRecord(
            epoch: Epoch(2), claimed: Epoch(2), disk: RandomID(high: 1, low: 5), starts: 1,
            register: Stage.register(7, 2, .a), witness: own)
        var record = before
        record.learn(wiped: false, leads: Epoch(3), register: Stage.register(9, 3, .b, .solo), witness: own)
        #expect(record == before)
        record.learn(wiped: false, leads: Epoch(3), register: Stage.register(9, 3, .b, .solo), witness: next)
        #expect(record.witness == next && record.register.version == 9 && record.epoch == Epoch(2))
        record.learn(wiped: false, leads: Epoch(3), register: Stage.register(5, 2, .a), witness: own)
        #expect(record.witness == next && record.register.version == 9)
        record.learn(wiped: true, leads: Epoch(4), register: Stage.register(10, 4, .b, .solo), witness: next)
        #expect(record.epoch == Epoch(4) && record.claimed == Epoch(4) && record.register.version == 10)
    }

    @Test("a solo primary testifies that it leads: from solo nobody else can claim")
    func solo() {
        var a = Stage.solo()
        _ = a.witnessDisconnected()
        #expect(testimony(a.witnessConnected())?.leads == true)
    }

    @Test("a primary that needs its standby leads by its consent: a round that began after the witness asked for it")
    func consent() {
        var a = Stage.paired()
        _ = a.witnessDisconnected()
        #expect(testimony(a.witnessConnected())?.leads == false)
        #expect(a.witnessSays(.refused(.cautious)).bodies == [.confirm(round: 1)])
        #expect(testimony(a.later(milliseconds: 50))?.leads == false)
        _ = a.witnessSays(.refused(.cautious))
        _ = a.receive(Message(Epoch(3), Stage.session, .confirmed(round: 1)))
        #expect(testimony(a.later(milliseconds: 50))?.leads == true)
    }

    @Test("consent ends with the session that gave it")
    func consentEnds() {
        var a = Stage.paired()
        _ = a.witnessDisconnected()
        _ = a.witnessConnected()
        _ = a.witnessSays(.refused(.cautious))
        _ = a.receive(Message(Epoch(3), Stage.session, .confirmed(round: 1)))
        _ = a.losesStandby()
        #expect(testimony(a.later(milliseconds: 50))?.leads == false)
    }

    @Test("a cautious witness is asked nothing else, and no number is spent on it")
    func cautious() {
        var b = Stage.following()
        _ = b.witnessDisconnected()
        _ = b.witnessConnected()
        _ = b.witnessSays(.refused(.cautious))
        for _ in 0..<10 {
            let effects = b.later(milliseconds: 100)
            #expect(effects.questions.allSatisfy { if case .testify = $0 { true } else { false } })
            _ = b.witnessSays(.refused(.cautious))
        }
        #expect(b.claims == nil)
        #expect(b.record.claimed == Epoch(1))
    }

    @Test("a node never acts on a register older than one that it has seen")
    func older() {
        var b = Stage.following()
        _ = b.later(milliseconds: 300)
        _ = b.saved()
        #expect(b.witnessSays(.current(Stage.register(2, 3, .a, .paired))).change == nil)
        #expect(b.record.register.version == 3)
        #expect(b.claims == nil)

        var a = Stage.paired()
        _ = a.propose()
        _ = a.logSynced(through: LSN(2))
        _ = a.losesStandby()
        #expect(a.witnessSays(.won(Stage.register(2, 3, .a, .solo))).commits == [])
    }

    @Test("the highest version seen is on disk")
    func saved() {
        var a = Stage.paired()
        _ = a.later(milliseconds: 1000)
        #expect(a.witnessSays(.current(Stage.register(7, 3, .a, .paired))).saves?.register.version == 7)
    }
}
