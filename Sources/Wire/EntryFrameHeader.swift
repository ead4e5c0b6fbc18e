import Replication

/// The fields of a valid entry frame without its payload; reading one allocates nothing.
package struct EntryHeader: Equatable, Sendable {
    /// Of the whole frame.
    package let length: Int
    package let knownSynced: LSN
    package let kind: EntryKind
    package let schemaVersion: UInt32
    package let position: Position
    package let chainBefore: UInt64
    package let digest: Digest
    /// The chain value of this entry.
    package let chain: UInt64

    /// Judges the frame that the buffer begins with by all the rules of `EntryFrame`, its payload's checksum included.
    /// - Returns: nil if the buffer ends before the frame does.
    package init?(of buffer: UnsafeRawBufferPointer, salt: UInt32) throws(FrameError) {
        guard let length = try Self.length(of: buffer, salt: salt), length <= buffer.count else { return nil }
        let frame = UnsafeRawBufferPointer(rebasing: buffer[..<length])
        let body = UnsafeRawBufferPointer(rebasing: frame[20...])
        guard frame.load(at: 16) == crc32c(body) else { throw .bodyChecksum }
        guard let kind = EntryKind(rawValue: frame[20]) else { throw .unknownKind(frame[20]) }
        guard frame[21] == 0 else { throw .unknownFlags(frame[21]) }
        guard frame[22] == 0 && frame[23] == 0 else { throw .reservedNotZero }
        self.init(fieldsOf: frame)
        guard position.lsn > .zero && position.epoch > .zero else { throw .noPosition(position) }
        guard knownSynced < position.lsn else { throw .knownSyncedTooHigh(knownSynced, at: position) }
        guard !kind.isMark || length == EntryFrame.headerSize else { throw .markWithPayload }
    }

    /// Judges the head alone.
    /// - Returns: the length of the whole frame, or nil if the buffer holds less than a head.
    package static func length(of buffer: UnsafeRawBufferPointer, salt: UInt32) throws(FrameError) -> Int? {
        guard buffer.count >= EntryFrame.headSize else { return nil }
        let expected: UInt32 = buffer.load(at: 12)
        guard expected == crc32c(UnsafeRawBufferPointer(rebasing: buffer[..<12]), from: salt) else {
            throw .headChecksum
        }
        let length = Int(buffer.load(at: 0) as UInt32)
        guard EntryFrame.lengths.contains(length) else { throw .lengthOutOfBounds(length) }
        return length
    }

    /// - Precondition: the frame is valid.
    init(fieldsOf frame: UnsafeRawBufferPointer) {
        guard let kind = EntryKind(rawValue: frame[20]) else { preconditionFailure("a frame that was never judged") }
        length = frame.count
        knownSynced = LSN(frame.load(at: 4))
        self.kind = kind
        schemaVersion = frame.load(at: 24)
        position = Position(Epoch(frame.load(at: 36)), LSN(frame.load(at: 28)))
        chainBefore = frame.load(at: 44)
        digest = Digest(frame.load(at: 52))
        chain = Self.chain(of: frame)
    }

    /// The key spells "Twinline log chn"; published, so that any program can follow a chain.
    static func chain(of frame: UnsafeRawBufferPointer) -> UInt64 {
        var hash = SipHash(k0: 0x5477_696e_6c69_6e65, k1: 0x206c_6f67_2063_686e, wide: false)
        hash.combine(UnsafeRawBufferPointer(rebasing: frame[EntryFrame.headSize..<EntryFrame.headerSize]))
        return hash.finalize64()
    }
}
