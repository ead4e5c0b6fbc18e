import CChecksum
import Replication

/// An entry as bytes: the same in the log of either node and between them. All integers are big-endian.
///
///     offset  size  field
///             the local head: each node writes its own
///          0     4  length of the whole frame
///          4     8  known synced: the newest LSN that the writer knew to be on its own disk when it wrote the frame
///         12     4  CRC-32C of bytes 0..<12, begun with the salt (see below)
///             the body: written once, by the primary, and never changed
///         16     4  CRC-32C of bytes 20..<length
///         20     1  kind (see EntryKind)
///         21     1  flags, 0
///         22     2  reserved, 0
///         24     4  schema version
///         28     8  LSN
///         36     8  epoch
///         44     8  chain value of the entry before
///         52    16  digest
///         68     …  payload
///
/// The *chain value* of an entry is SipHash-2-4-64 of bytes 16..<68: it covers the payload by its checksum, and all
/// that came before by the chain value before. Two logs with equal chain values at one LSN are equal up to there.
///
/// The *salt* is 0 between nodes and in memory. In the log it is that of the segment (SegmentHeader.swift), so that
/// neither what a recycled segment held before nor a payload that looks like a frame is one.
///
/// A frame is valid if and only if (1) its head's checksum holds, (2) its length is 68 to 68 + 64 MiB, (3) its body's
/// checksum holds, (4) its kind is known, (5) flags and reserved are 0, (6) LSN and epoch are not 0, (7) known synced
/// is below its LSN, and (8) a mark has no payload. Each has its case in `FrameError`; they are checked in this order.
package struct EntryFrame: Equatable, Sendable {
    package static let headSize = 16
    /// Where the payload begins.
    package static let headerSize = 68
    /// Far above the largest batch (1 MiB): room for a schema change or an import in one transaction.
    package static let maximumPayload = 64 << 20
    package static let lengths = headerSize...headerSize + maximumPayload

    /// The whole frame, with salt 0: what goes to the other node.
    package private(set) var bytes: [UInt8]

    /// Encodes an entry. One allocation, one copy of the payload.
    /// - Precondition: the entry keeps the rules of a valid frame; the payload is not larger than `maximumPayload`.
    package init(encoding entry: Entry, chainBefore: UInt64, knownSynced: LSN) {
        let checksum = entry.payload.withUnsafeBytes { crc32c($0) }
        self.init(
            Self.room(for: entry.payload), payloadChecksum: checksum, entry, chainBefore: chainBefore,
            knownSynced: knownSynced)
    }

    /// A frame with its payload, and its header still to be written.
    static func room(for payload: [UInt8]) -> [UInt8] {
        let length = headerSize + payload.count
        precondition(lengths.contains(length), "a payload of \(payload.count) bytes")
        return Array(unsafeUninitializedCapacity: length) { buffer, count in
            let frame = UnsafeMutableRawBufferPointer(buffer)
            UnsafeMutableRawBufferPointer(rebasing: frame[..<headerSize]).initializeMemory(as: UInt8.self, repeating: 0)
            UnsafeMutableRawBufferPointer(rebasing: frame[headerSize...]).copyBytes(from: payload)
            count = length
        }
    }

    /// Writes the header into a frame that has its payload. Without a copy, if nobody else holds `frame`.
    /// - Parameter entry: its payload doesn't count.
    init(_ frame: consuming [UInt8], payloadChecksum: UInt32, _ entry: Entry, chainBefore: UInt64, knownSynced: LSN) {
        precondition(entry.position.lsn > knownSynced, "\(entry.position) can't be known to be synced yet")
        precondition(entry.position.epoch > .zero, "an entry of no epoch")
        precondition(!entry.kind.isMark || frame.count == Self.headerSize, "a mark has no payload")
        bytes = consume frame
        bytes.withUnsafeMutableBytes { frame in
            Self.writeHead(of: frame.count, knownSynced: knownSynced, salt: 0, to: frame)
            frame.store(UInt32(entry.kind.rawValue) << 24, at: 20)
            frame.store(entry.schemaVersion, at: 24)
            frame.store(entry.position.lsn.value, at: 28)
            frame.store(entry.position.epoch.value, at: 36)
            frame.store(chainBefore, at: 44)
            frame.store(entry.digest.value, at: 52)
            let header = crc32c(UnsafeRawBufferPointer(rebasing: frame[20..<Self.headerSize]))
            frame.store(
                crc32c(header, followedBy: payloadChecksum, count: frame.count - Self.headerSize), at: 16)
        }
    }

    /// A frame found valid by `EntryHeader`, copied out of a buffer.
    init(validated frame: UnsafeRawBufferPointer) { bytes = [UInt8](frame) }

    /// Reads the frame that the buffer begins with.
    /// - Returns: nil if the buffer ends before the frame does. What follows the frame is not looked at.
    package static func decode(_ buffer: UnsafeRawBufferPointer, salt: UInt32 = 0) throws(FrameError) -> EntryFrame? {
        guard let header = try EntryHeader(of: buffer, salt: salt) else { return nil }
        var frame = EntryFrame(validated: UnsafeRawBufferPointer(rebasing: buffer[..<header.length]))
        if salt != 0 { frame.stamp(knownSynced: header.knownSynced) }
        return frame
    }

    package static func decode(_ bytes: ArraySlice<UInt8>) throws(FrameError) -> EntryFrame? {
        try bytes.span.bytes.withUnsafeBytes { buffer throws(FrameError) in try decode(buffer) }
    }

    /// Replaces the local head; the body stays as it is.
    package mutating func stamp(knownSynced: LSN) {
        let length = bytes.count
        bytes.withUnsafeMutableBytes { Self.writeHead(of: length, knownSynced: knownSynced, salt: 0, to: $0) }
    }

    /// The local head alone; what follows it in the log is `bytes` from `headSize` on.
    package func head(knownSynced: LSN, salt: UInt32) -> [UInt8] {
        Array(unsafeUninitializedCapacity: Self.headSize) { buffer, count in
            Self.writeHead(
                of: bytes.count, knownSynced: knownSynced, salt: salt, to: UnsafeMutableRawBufferPointer(buffer))
            count = Self.headSize
        }
    }

    /// Writes the frame with another local head to the start of a buffer: what a log puts on its disk.
    package func write(to buffer: UnsafeMutableRawBufferPointer, knownSynced: LSN, salt: UInt32) {
        Self.writeHead(of: bytes.count, knownSynced: knownSynced, salt: salt, to: buffer)
        UnsafeMutableRawBufferPointer(rebasing: buffer[Self.headSize...]).copyBytes(from: bytes[Self.headSize...])
    }

    private static func writeHead(
        of length: Int, knownSynced: LSN, salt: UInt32, to frame: UnsafeMutableRawBufferPointer
    ) {
        frame.store(UInt32(length), at: 0)
        frame.store(knownSynced.value, at: 4)
        frame.store(crc32c(UnsafeRawBufferPointer(rebasing: frame[..<12]), from: salt), at: 12)
    }
}

extension EntryFrame {
    package var header: EntryHeader { bytes.withUnsafeBytes { EntryHeader(fieldsOf: $0) } }
    package var knownSynced: LSN { LSN(bytes.withUnsafeBytes { $0.load(at: 4) }) }
    package var kind: EntryKind { header.kind }
    package var schemaVersion: UInt32 { bytes.withUnsafeBytes { $0.load(at: 24) } }
    package var position: Position { bytes.withUnsafeBytes { Position(Epoch($0.load(at: 36)), LSN($0.load(at: 28))) } }
    package var chainBefore: UInt64 { bytes.withUnsafeBytes { $0.load(at: 44) } }
    package var digest: Digest { Digest(bytes.withUnsafeBytes { $0.load(at: 52) }) }
    package var payload: ArraySlice<UInt8> { bytes[Self.headerSize...] }

    /// The chain value of this entry: `chainBefore` of the next.
    package var chain: UInt64 { bytes.withUnsafeBytes { EntryHeader.chain(of: $0) } }

    /// Copies the payload.
    package var entry: Entry {
        let header = header
        return Entry(
            position: header.position, kind: header.kind, schemaVersion: header.schemaVersion, digest: header.digest,
            payload: Array(payload))
    }
}
