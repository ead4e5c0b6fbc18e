import Replication
import Testing

@testable import Wire

struct EntryFrameTests {
    static let mark = Entry(
        position: Position(Epoch(1), LSN(1)), kind: .mark, schemaVersion: 0, digest: .zero, payload: [])
    static let changes = Entry(
        position: Position(Epoch(0x1112_1314_1516_1718), LSN(0x0102_0304_0506_0708)), kind: .changes, schemaVersion: 7,
        digest: Digest(0x3031_3233_3435_3637_3839_3a3b_3c3d_3e3f), payload: Array("Twinline".utf8))

    let mark = EntryFrame(encoding: mark, chainBefore: 0, knownSynced: .zero)
    let changes = EntryFrame(
        encoding: changes, chainBefore: 0x2122_2324_2526_2728, knownSynced: LSN(0x0102_0304_0506_0700))

    @Test("frames are byte for byte what the specification says")
    func goldens() throws {
        #expect(try golden("mark") == (mark.bytes, mark.chain))
        #expect(try golden("changes") == (changes.bytes, changes.chain))
    }

    @Test("decoding undoes encoding, and leaves what follows the frame alone")
    func roundTrip() throws {
        let decoded = try #require(try EntryFrame.decode((changes.bytes + mark.bytes)[...]))
        #expect(decoded == changes)
        #expect(decoded.entry == Self.changes)
        #expect(decoded.chainBefore == 0x2122_2324_2526_2728)
        #expect(decoded.knownSynced == LSN(0x0102_0304_0506_0700))
        #expect(decoded.header.chain == decoded.chain)
        let rest = (changes.bytes + mark.bytes)[changes.bytes.count...]
        #expect(try EntryFrame.decode(rest)?.entry == Self.mark)
    }

    @Test("a draft that gets its place later is the same frame", arguments: [0, 1, 7, 68, 4095, 100_003])
    func drafts(size: Int) throws {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let position = Position(Epoch(5), LSN(9))
        let digest = Digest(0x3031_3233_3435_3637_3839_3a3b_3c3d_3e3f)
        let placed = EntryDraft(payload: payload).placed(
            at: position, kind: .changes, schemaVersion: 7, digest: digest, chainBefore: 77)
        let entry = Entry(
            position: position, kind: .changes, schemaVersion: 7, digest: digest, payload: payload)
        #expect(placed.entry == entry && placed.chainBefore == 77)
        // Judges its checksum, which was never computed over the whole.
        #expect(try EntryFrame.decode(placed.bytes[...]) == placed)
        #expect(placed == EntryFrame(encoding: entry, chainBefore: 77, knownSynced: .zero))
    }

    @Test("every prefix of a frame is incomplete")
    func prefixes() throws {
        for end in 0..<changes.bytes.count {
            #expect(try EntryFrame.decode(changes.bytes[..<end]) == nil)
        }
    }

    @Test("a frame with any one bit flipped is refused")
    func flips() {
        for bit in 0..<changes.bytes.count * 8 {
            var bytes = changes.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: bit < 128 ? FrameError.headChecksum : .bodyChecksum) { try EntryFrame.decode(bytes[...]) }
        }
    }

    @Test("a new local head leaves the body and the chain as they were")
    func stamping() throws {
        var stamped = changes
        stamped.stamp(knownSynced: LSN(5))
        #expect(stamped.bytes[16...] == changes.bytes[16...])
        #expect(stamped.chain == changes.chain)
        #expect(try EntryFrame.decode(stamped.bytes[...])?.knownSynced == LSN(5))
    }

    @Test("a frame is read only with the salt it was written with")
    func salts() throws {
        var written = [UInt8](repeating: 0, count: changes.bytes.count)
        written.withUnsafeMutableBytes { changes.write(to: $0, knownSynced: LSN(5), salt: 0xfeed) }
        #expect(throws: FrameError.headChecksum) { try EntryFrame.decode(written[...]) }
        let read = try #require(try written.withUnsafeBytes { try EntryFrame.decode($0, salt: 0xfeed) })
        var stamped = changes
        stamped.stamp(knownSynced: LSN(5))
        #expect(read == stamped)
    }

    @Test(
        "what no rule allows is refused by that rule, though every checksum holds",
        arguments: [
            (20, 9, .unknownKind(9)), (21, 1, .unknownFlags(1)), (22, 1, .reservedNotZero), (23, 1, .reservedNotZero),
            (35, 0, .noPosition(Position(Epoch(1), .zero))), (43, 0, .noPosition(Position(.zero, LSN(1)))),
            (11, 1, .knownSyncedTooHigh(LSN(1), at: Position(Epoch(1), LSN(1)))),
            (0, 5, .lengthOutOfBounds(5 << 24 + 68)), (3, 67, .lengthOutOfBounds(67)),
        ] as [(Int, UInt8, FrameError)])
    func refusals(offset: Int, value: UInt8, error: FrameError) {
        var bytes = mark.bytes
        bytes[offset] = value
        #expect(throws: error) { try EntryFrame.decode(resealed(bytes)[...]) }
    }

    @Test("the mark of an epoch has no payload")
    func markWithPayload() {
        var bytes = changes.bytes
        bytes[20] = EntryKind.mark.rawValue
        #expect(throws: FrameError.markWithPayload) { try EntryFrame.decode(resealed(bytes)[...]) }
    }

    /// Puts right both checksums.
    private func resealed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { frame in
            frame.store(crc32c(UnsafeRawBufferPointer(rebasing: frame[20...])), at: 16)
            frame.store(crc32c(UnsafeRawBufferPointer(rebasing: frame[..<12])), at: 12)
        }
        return bytes
    }

    /// The bytes and the chain value in a file of hexadecimal digits with comments.
    private func golden(_ name: String) throws -> ([UInt8], UInt64) {
        let golden = try Goldens("EntryFrames/" + name)
        let chain = golden.lines.compactMap { UInt64($0.split(separator: "chain value: ").last ?? "", radix: 16) }
        return (try #require(golden.messages.first).bytes, try #require(chain.first))
    }
}
