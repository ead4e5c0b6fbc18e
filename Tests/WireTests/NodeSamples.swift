import Replication

@testable import Wire

/// An id of sixteen bytes that count up.
func id(from first: UInt8) -> RandomID {
    let bytes = (0..<16).map { UInt64(first + $0) }
    return RandomID(
        high: bytes[..<8].reduce(0) { $0 << 8 | $1 }, low: bytes[8...].reduce(0) { $0 << 8 | $1 })
}

let pairID = id(from: 0x10)
let diskID = id(from: 0x20)
let witness = WitnessChoice(id(from: 0x30), number: 6)
let number = UniqueNumber(process: 0x0102_0304_0506_0708, counter: 9)
let log = EpochTable(
    base: Position(Epoch(1), LSN(7)), starts: [Position(Epoch(2), LSN(8)), Position(Epoch(5), LSN(200))],
    last: Position(Epoch(5), LSN(300)))

/// The first two entries of a pair.
let firstFrames = [
    EntryFrame(encoding: EntryFrameTests.mark, chainBefore: 0, knownSynced: .zero),
    EntryFrame(encoding: entry(2), chainBefore: 0x4707_0c3a_cea1_9ab0, knownSynced: .zero),
]

func entry(_ lsn: UInt64, epoch: UInt64 = 1, schemaVersion: UInt32 = 7) -> Entry {
    var entry = EntryFrameTests.changes
    (entry.position, entry.schemaVersion) = (Position(Epoch(epoch), LSN(lsn)), schemaVersion)
    return entry
}

extension Codec<PeerEnvelope> {
    static let peer = Codec(
        encode: { encoded(Twinline_Node_V1_PeerMessage($0)) },
        decode: { bytes throws(MalformedMessage) in try PeerEnvelope(try decoded(bytes)) })
}

extension Sample {
    private static func peer(
        _ name: String, _ body: Message.Body, session: UniqueNumber = number, frames: [EntryFrame] = [],
        chain: UInt64? = nil, pair: RandomID = .zero, process: UInt64 = 0
    ) -> Sample {
        let message = Message(Epoch(300), session, body)
        return Sample(name, PeerEnvelope(message, frames: frames, chain: chain, pair: pair, process: process), .peer)
    }

    static let node = [
        peer(
            "hello",
            .hello(
                Hello(
                    node: .b, leads: true, synced: Position(Epoch(3), LSN(133)), disk: diskID, starts: 4,
                    registerVersion: 301)),
            session: .none, pair: pairID, process: 0x0a0b_0c0d_0e0f_1011),
        peer("join", .join(Join(log: log, synced: LSN(299), disk: diskID, starts: 4, witness: witness))),
        peer("join_accepted", .joinAccepted(common: Position(Epoch(5), LSN(250)))),
        peer(
            "join_accepted at the end of the log", .joinAccepted(common: Position(Epoch(5), LSN(300))),
            chain: 0xfedc_ba98_7654_3210),
        peer("join_refused", .joinRefused(.diskForgot)),
        peer("working", .working),
        peer("stranded", .stranded(seats: 7)),
        peer("acknowledge", .acknowledge(synced: LSN(300), applied: LSN(299), reachesWitness: true)),
        peer("heartbeat", .heartbeat(committed: LSN(300), synced: LSN(302), applied: LSN(299))),
        peer("confirm", .confirm(round: 7)),
        peer("confirmed", .confirmed(round: 7)),
        peer("hand_over", .handOver(through: LSN(302))),
        peer("stale", .stale),
        peer("fetch", .fetch(log), session: .none),
        peer("adopt", .adopt(witness)),
        peer("adopted", .adopted(witness, registerVersion: 301)),
    ]

    static let nodeEntries = [
        peer("append", .append(Run(firstFrames), committed: LSN(1)), frames: firstFrames),
        peer("append without entries", .append(.empty, committed: LSN(2))),
        peer(
            "fetched", .fetched(Run([firstFrames[1]]), last: firstFrames[1].position), session: .none,
            frames: [firstFrames[1]]),
    ]
}
