import FoundationEssentials
import Replication
import SwiftProtobuf

/// What a node's record file holds: whose disk it is, which never changes, where its data lies, and the protocol's
/// record.
package struct NodeFile: Equatable, Sendable {
    package var pair: String
    /// `.zero` on a wiped disk that is being reseeded, until it has learned it.
    package var pairID: RandomID
    package var node: NodeName
    package var record: NodeRecord
    /// The number of the folder with log and database; 0: there are none yet.
    package var copy: UInt64
    /// The number of the folder that a new copy is being received in; 0: none is. While it is above 0 the node is being
    /// reseeded: it never runs on the old copy, and not yet on the new one.
    package var incoming: UInt64

    package init(
        pair: String, pairID: RandomID, node: NodeName, record: NodeRecord, copy: UInt64 = 1, incoming: UInt64 = 0
    ) {
        self.pair = pair
        self.pairID = pairID
        self.node = node
        self.record = record
        self.copy = copy
        self.incoming = incoming
    }

    package var isReseeding: Bool { incoming > 0 }

    package var bytes: [UInt8] {
        var wire = Twinline_Disk_V1_NodeRecord()
        wire.pair = pair
        wire.pairID = pairID.bytes
        wire.node = node.rawValue
        wire.epoch = record.epoch.value
        wire.claimed = record.claimed.value
        wire.disk = record.disk.bytes
        wire.starts = record.starts
        wire.register = Twinline_Witness_V1_Register(record.register)
        wire.witness = record.witness.id.bytes
        wire.witnessNumber = record.witness.number
        wire.copy = copy
        wire.incoming = incoming
        return encoded(wire)
    }

    package init(bytes: [UInt8]) throws(MalformedMessage) {
        let wire: Twinline_Disk_V1_NodeRecord = try decoded(bytes)
        self.init(
            pair: wire.pair, pairID: try RandomID(wire.pairID, field: "pair_id"), node: try NodeName(wire: wire.node),
            record: NodeRecord(
                epoch: try Epoch(wire: wire.epoch, below: Count.fileLimit, field: "epoch"),
                claimed: try Epoch(wire: wire.claimed, below: Count.fileLimit, field: "claimed"),
                disk: try RandomID(wire.disk, field: "disk"),
                starts: try UInt64(counted: wire.starts, below: Count.fileLimit, field: "starts"),
                register: try Register(wire.register, below: Count.fileLimit),
                witness: WitnessChoice(
                    try RandomID(wire.witness, field: "witness"),
                    number: try UInt64(counted: wire.witnessNumber, below: Count.fileLimit, field: "witness_number"))),
            copy: try UInt64(counted: wire.copy, below: Count.fileLimit, field: "copy"),
            incoming: try UInt64(counted: wire.incoming, below: Count.fileLimit, field: "incoming"))
        // One of the two there must be, and a new copy never lies in the old one's place.
        guard copy != incoming else { throw MalformedMessage(field: "copy") }
    }
}

/// What the witness's record file holds.
package struct WitnessFile: Equatable, Sendable {
    package var record: Witness.Record
    /// The machine's boot id when it was written.
    package var boot: String
    package init(record: Witness.Record, boot: String) { (self.record, self.boot) = (record, boot) }

    package var bytes: [UInt8] {
        var wire = Twinline_Disk_V1_WitnessRecord()
        wire.id = record.id.bytes
        wire.boot = boot
        wire.pairs = record.registers.map { pair in
            var entry = Twinline_Disk_V1_WitnessRecord.Pair()
            entry.id = pair.id.bytes
            entry.name = pair.name
            entry.register = Twinline_Witness_V1_Register(pair.register)
            return entry
        }
        return encoded(wire)
    }

    package init(bytes: [UInt8]) throws(MalformedMessage) {
        let wire: Twinline_Disk_V1_WitnessRecord = try decoded(bytes)
        var registers: [Witness.Pair] = []
        for pair in wire.pairs {
            registers.append(
                Witness.Pair(
                    id: try RandomID(pair.id, field: "id"), name: pair.name,
                    register: try Register(pair.register, below: Count.fileLimit)))
        }
        self.init(
            record: Witness.Record(
                id: try RandomID(wire.id, field: "id"), registers: registers),
            boot: wire.boot)
    }
}

/// Any message as bytes. Encoding fails only for messages with required fields, and proto3 has none.
package func encoded(_ message: some SwiftProtobuf.Message) -> [UInt8] {
    guard let bytes: [UInt8] = try? message.serializedBytes() else {
        preconditionFailure("a message that can't be encoded")
    }
    return bytes
}

/// The same without a copy first: for bytes as they came from the network.
package func decoded<M: SwiftProtobuf.Message>(_ bytes: RawSpan) throws(MalformedMessage) -> M {
    do { return try M(serializedBytes: bytes) } catch { throw MalformedMessage(field: "frame") }
}

/// Refuses what is no such message at all; what it says is for the caller to check.
package func decoded<M: SwiftProtobuf.Message>(_ bytes: [UInt8]) throws(MalformedMessage) -> M {
    do { return try M(serializedBytes: bytes) } catch { throw MalformedMessage(field: "frame") }
}
