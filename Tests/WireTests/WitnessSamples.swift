import Replication

@testable import Wire

let soloRegister = Register(
    version: 300, epoch: Epoch(5), primary: .b, mode: .solo, disks: PerNode(a: id(from: 0x40), b: id(from: 0x50)),
    starts: PerNode(a: 6, b: 7), floor: Position(Epoch(4), LSN(1000)))

let pairedRegister = {
    var register = soloRegister
    (register.primary, register.mode) = (.a, .paired)
    return register
}()

extension Codec<WitnessEnvelope> {
    static let witnessRequest = Codec(
        encode: { encoded(Twinline_Witness_V1_WitnessRequest($0)) },
        decode: { bytes throws(MalformedMessage) in try WitnessEnvelope(try decoded(bytes)) })
}

extension Codec<WitnessReply> {
    static let witnessReply = Codec(
        encode: { encoded(Twinline_Witness_V1_WitnessAnswer($0)) },
        decode: { bytes throws(MalformedMessage) in try WitnessReply(try decoded(bytes)) })
}

extension Codec<NodeFile> {
    static let nodeFile = Codec(
        encode: { $0.bytes }, decode: { bytes throws(MalformedMessage) in try NodeFile(bytes: bytes) })
}

extension Codec<WitnessFile> {
    static let witnessFile = Codec(
        encode: { $0.bytes }, decode: { bytes throws(MalformedMessage) in try WitnessFile(bytes: bytes) })
}

extension Sample {
    private static func request(_ name: String, _ action: RegisterRequest.Action) -> Sample {
        let request = RegisterRequest(number: number, action: action)
        let envelope = WitnessEnvelope(pair: pairID, witness: witness.id, start: 2, request: request)
        return Sample(name, envelope, .witnessRequest)
    }

    private static func reply(_ name: String, _ outcome: RegisterAnswer.Outcome) -> Sample {
        Sample(name, .answer(RegisterAnswer(number: number, outcome: outcome)), .witnessReply)
    }

    static let witnessRequests = [
        request("read", .read),
        request("compare_and_set", .compareAndSet(version: 299, register: soloRegister)),
        request("testify", .testify(Testimony(node: .a, register: pairedRegister, leads: true))),
        request("install", .install(soloRegister)),
    ]

    static let witnessAnswers = [
        Sample("welcome", .welcome(witness: witness.id, start: 2), .witnessReply),
        reply("current", .current(pairedRegister)),
        reply("won", .won(soloRegister)),
        reply("lost", .lost(soloRegister)),
        reply("refused: unknown pair", .refused(.unknownPair)),
        reply("refused: cautious", .refused(.cautious)),
        reply("refused: earlier start", .refused(.earlierStart)),
        reply("refused: already installed", .refused(.alreadyInstalled)),
    ]

    static let nodeFile = NodeFile(
        pair: "hotline", pairID: pairID, node: .b,
        record: NodeRecord(
            epoch: Epoch(300), claimed: Epoch(302), disk: diskID, starts: 4, register: soloRegister, witness: witness),
        copy: 2, incoming: 3)

    static let witnessFile = WitnessFile(
        record: Witness.Record(
            id: witness.id,
            registers: [
                Witness.Pair(id: pairID, name: "hotline", register: soloRegister),
                Witness.Pair(id: id(from: 0x11), name: "parks", register: pairedRegister),
            ]),
        boot: "5f0c")

    static let disk = [
        Sample("node", nodeFile, .nodeFile), Sample("witness", witnessFile, .witnessFile),
        Sample("copy progress", CopyProgress(offer: offer, received: 4096), .copyProgress),
    ]
}
