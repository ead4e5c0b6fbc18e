import FoundationEssentials
import Replication

/// A database as it was at one position, and what a node needs to begin with it.
package struct CopyOffer: Equatable, Sendable {
    package var snapshot: RandomID
    package var pair: RandomID
    /// It holds every entry up to this one.
    package var position: Position
    /// The log's chain value there.
    package var chain: UInt64
    package var digest: Digest
    package var schemaVersion: UInt32
    /// In bytes.
    package var size: UInt64
    /// CRC-32C of all of it.
    package var checksum: UInt32
    /// For a disk that knows nothing: what the serving node leads, its register and its witness.
    package var leads: Epoch
    package var register: Register
    package var witness: WitnessChoice

    package init(
        snapshot: RandomID, pair: RandomID, position: Position, chain: UInt64, digest: Digest, schemaVersion: UInt32,
        size: UInt64, checksum: UInt32, leads: Epoch, register: Register, witness: WitnessChoice
    ) {
        self.snapshot = snapshot
        self.pair = pair
        self.position = position
        self.chain = chain
        self.digest = digest
        self.schemaVersion = schemaVersion
        self.size = size
        self.checksum = checksum
        self.leads = leads
        self.register = register
        self.witness = witness
    }

    /// No database is larger: SQLite's own limit is 2^48.
    package static let sizeLimit: UInt64 = 1 << 50
}

/// From the node that fetches a copy.
package enum CopyRequest: Equatable, Sendable {
    /// - Parameter pair: nil on a wiped disk.
    /// - Parameter snapshot: the one that was begun with.
    case want(pair: RandomID?, snapshot: RandomID?)
    case fetch(RandomID, offset: UInt64, length: Int)

    /// Bytes of one chunk.
    package static let chunkLimit = 1 << 20
    /// How many fetches may be unanswered.
    package static let fetchLimit = 16
    /// The longest message.
    package static let lengthLimit = 1024
}

/// From the node that serves one.
package enum CopyReply: Equatable, Sendable {
    case preparing(done: UInt64, total: UInt64)
    case offer(CopyOffer)
    /// As it came with a checksum that holds.
    case chunk(offset: UInt64, [UInt8])
    case notNow(Reason, String, againAfter: UInt32)

    package enum Reason: Int, Equatable, Sendable {
        case notLeading = 1, gone, noRoom, failed, otherPair
    }

    /// The longest message.
    package static let lengthLimit = CopyRequest.chunkLimit + 1024
}

extension CopyOffer {
    init(_ wire: Twinline_Copy_V1_Offer) throws(MalformedMessage) {
        guard wire.size > 0, wire.size < Self.sizeLimit else { throw MalformedMessage(field: "size") }
        guard wire.schemaVersion < Count.schemaVersionLimit else { throw MalformedMessage(field: "schema_version") }
        let digest = try RandomID(wire.digest, field: "digest")
        self.init(
            snapshot: try RandomID(wire.snapshotID, field: "snapshot_id"),
            pair: try RandomID(wire.pairID, field: "pair_id"),
            position: Position(try Epoch(wire: wire.epoch, field: "epoch"), try LSN(wire: wire.lsn, field: "lsn")),
            chain: wire.chain, digest: Digest(UInt128(digest.high) << 64 | UInt128(digest.low)),
            schemaVersion: wire.schemaVersion, size: wire.size, checksum: wire.checksum,
            leads: try Epoch(wire: wire.leads, field: "leads"), register: try Register(wire.register),
            witness: WitnessChoice(
                try RandomID(wire.witnessID, field: "witness_id"),
                number: try UInt64(counted: wire.witnessNumber, field: "witness_number")))
    }
}

extension Twinline_Copy_V1_Offer {
    init(_ offer: CopyOffer) {
        self.init()
        snapshotID = offer.snapshot.bytes
        pairID = offer.pair.bytes
        (epoch, lsn) = (offer.position.epoch.value, offer.position.lsn.value)
        chain = offer.chain
        let value = offer.digest.value
        digest = RandomID(high: UInt64(truncatingIfNeeded: value >> 64), low: UInt64(truncatingIfNeeded: value)).bytes
        schemaVersion = offer.schemaVersion
        size = offer.size
        checksum = offer.checksum
        leads = offer.leads.value
        register = Twinline_Witness_V1_Register(offer.register)
        witnessID = offer.witness.id.bytes
        witnessNumber = offer.witness.number
    }
}

extension CopyRequest {
    package init(_ wire: Twinline_Copy_V1_CopyRequest) throws(MalformedMessage) {
        switch wire.body {
        case .want(let want):
            self = .want(
                pair: want.pairID.isEmpty ? nil : try RandomID(want.pairID, field: "pair_id"),
                snapshot: want.snapshotID.isEmpty ? nil : try RandomID(want.snapshotID, field: "snapshot_id"))
        case .fetch(let fetch):
            guard (1...Self.chunkLimit).contains(Int(fetch.length)) else { throw MalformedMessage(field: "length") }
            guard fetch.offset < CopyOffer.sizeLimit else { throw MalformedMessage(field: "offset") }
            self = .fetch(
                try RandomID(fetch.snapshotID, field: "snapshot_id"), offset: fetch.offset, length: Int(fetch.length))
        case nil: throw MalformedMessage(field: "body")
        }
    }
}

extension Twinline_Copy_V1_CopyRequest {
    package init(_ request: CopyRequest) {
        self.init()
        switch request {
        case .want(let pair, let snapshot):
            want = .init()
            want.pairID = pair?.bytes ?? Data()
            want.snapshotID = snapshot?.bytes ?? Data()
        case .fetch(let snapshot, let offset, let length):
            fetch.snapshotID = snapshot.bytes
            fetch.offset = offset
            fetch.length = UInt32(length)
        }
    }
}

extension CopyReply {
    package init(_ wire: Twinline_Copy_V1_CopyReply) throws(MalformedMessage) {
        switch wire.body {
        case .preparing(let preparing):
            guard preparing.done <= preparing.total, preparing.total < CopyOffer.sizeLimit else {
                throw MalformedMessage(field: "done")
            }
            self = .preparing(done: preparing.done, total: preparing.total)
        case .offer(let offer): self = .offer(try CopyOffer(offer))
        case .chunk(let chunk):
            guard (1...CopyRequest.chunkLimit).contains(chunk.bytes.count) else {
                throw MalformedMessage(field: "bytes")
            }
            guard chunk.bytes.withUnsafeBytes({ crc32c($0) }) == chunk.checksum else {
                throw MalformedMessage(field: "checksum")
            }
            guard chunk.offset < CopyOffer.sizeLimit else { throw MalformedMessage(field: "offset") }
            self = .chunk(offset: chunk.offset, Array(chunk.bytes))
        case .notNow(let refusal):
            guard let reason = Reason(rawValue: refusal.reason.rawValue) else {
                throw MalformedMessage(field: "reason")
            }
            self = .notNow(reason, refusal.text, againAfter: refusal.againAfter)
        case nil: throw MalformedMessage(field: "body")
        }
    }
}

extension Twinline_Copy_V1_CopyReply {
    package init(_ reply: CopyReply) {
        self.init()
        switch reply {
        case .preparing(let done, let total):
            preparing.done = done
            preparing.total = total
        case .offer(let offer): self.offer = Twinline_Copy_V1_Offer(offer)
        case .chunk(let offset, let bytes):
            chunk.offset = offset
            chunk.bytes = Data(bytes)
            chunk.checksum = bytes.span.bytes.withUnsafeBytes { crc32c($0) }
        case .notNow(let reason, let text, let again):
            notNow.reason = .init(rawValue: reason.rawValue) ?? .unspecified
            notNow.text = text
            notNow.againAfter = again
        }
    }
}

/// What the record beside a copy that is being received holds.
package struct CopyProgress: Equatable, Sendable {
    package var offer: CopyOffer
    /// Bytes that are on the disk. Never above the offer's size.
    package var received: UInt64
    package init(offer: CopyOffer, received: UInt64) { (self.offer, self.received) = (offer, received) }

    package var bytes: [UInt8] {
        var wire = Twinline_Disk_V1_CopyProgress()
        wire.offer = Twinline_Copy_V1_Offer(offer)
        wire.received = received
        return encoded(wire)
    }

    package init(bytes: [UInt8]) throws(MalformedMessage) {
        let wire: Twinline_Disk_V1_CopyProgress = try decoded(bytes)
        self.init(offer: try CopyOffer(wire.offer), received: wire.received)
        guard received <= offer.size else { throw MalformedMessage(field: "received") }
    }
}
