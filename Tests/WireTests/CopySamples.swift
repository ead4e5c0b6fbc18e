import Replication

@testable import Wire

extension Codec<CopyRequest> {
    static let copyRequest = Codec(
        encode: { encoded(Twinline_Copy_V1_CopyRequest($0)) },
        decode: { bytes throws(MalformedMessage) in try CopyRequest(try decoded(bytes)) })
}

extension Codec<CopyReply> {
    static let copyReply = Codec(
        encode: { encoded(Twinline_Copy_V1_CopyReply($0)) },
        decode: { bytes throws(MalformedMessage) in try CopyReply(try decoded(bytes)) })
}

extension Codec<CopyProgress> {
    static let copyProgress = Codec(
        encode: { $0.bytes }, decode: { bytes throws(MalformedMessage) in try CopyProgress(bytes: bytes) })
}

extension Sample {
    static let snapshotID = id(from: 0x60)

    static let offer = CopyOffer(
        snapshot: snapshotID, pair: pairID, position: Position(Epoch(5), LSN(300)), chain: 0x0102_0304_0506_0708,
        digest: Digest(0x7071_7273_7475_7677_7879_7a7b_7c7d_7e7f), schemaVersion: 7, size: 8192, checksum: 0x0a0b_0c0d,
        leads: Epoch(5), register: soloRegister, witness: witness)

    static let copy = [
        Sample("want", .want(pair: pairID, snapshot: snapshotID), .copyRequest),
        Sample("want, on a wiped disk", .want(pair: nil, snapshot: nil), .copyRequest),
        Sample("fetch", .fetch(snapshotID, offset: 4096, length: 1 << 20), .copyRequest),
        Sample("preparing", .preparing(done: 4096, total: 8192), .copyReply),
        Sample("offer", .offer(offer), .copyReply),
        // The check value of CRC-32C is that of these nine bytes.
        Sample("chunk", .chunk(offset: 4096, Array("123456789".utf8)), .copyReply),
        Sample("not now", .notNow(.noRoom, "make room", againAfter: 5000), .copyReply),
    ]
}
