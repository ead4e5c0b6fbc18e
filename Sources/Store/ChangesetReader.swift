/// Reads a changeset (`ChangesetBuffer` has the format) where it lies. It believes nothing: every length is checked
/// before it is used, and what can't be read is an error at its byte.
struct ChangesetReader {
    /// A byte that isn't what the format says.
    struct Malformed: Error { let offset: Int }

    enum Step {
        /// The header of the table whose changes follow.
        case table(UnsafeRawBufferPointer)
        case insert, delete, update
        case end
    }

    private let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func next() throws(Malformed) -> Step {
        guard offset < bytes.count else { return .end }
        let kind = try byte()
        if kind == UInt8(ascii: "T") { return try table() }
        guard try byte() <= 1 else { throw Malformed(offset: offset - 1) }
        switch kind {
        case 18: return .insert
        case 9: return .delete
        case 23: return .update
        default: throw Malformed(offset: offset - 2)
        }
    }

    /// One record: a value for each column.
    mutating func values(
        _ values: UnsafeMutablePointer<CellValue>, columns: Int
    ) throws(Malformed) {
        for index in 0..<columns { values[index] = try value() }
    }

    private mutating func table() throws(Malformed) -> Step {
        let start = offset - 1
        let columns = Int(try varint())
        guard columns <= ReplicatedTable.columnLimit else { throw Malformed(offset: start + 1) }
        for _ in 0..<columns { _ = try byte() }
        while try byte() != 0 {}
        return .table(bytes(from: start, to: offset))
    }

    @inline(__always)
    private mutating func value() throws(Malformed) -> CellValue {
        switch try byte() {
        case 0: return .undefined
        case 1: return .integer(Int64(bitPattern: try word()))
        case 2: return .real(Double(bitPattern: try word()))
        case 3: return .text(try blob())
        case 4: return .blob(try blob())
        case 5: return .null
        default: throw Malformed(offset: offset - 1)
        }
    }

    @inline(__always)
    private mutating func byte() throws(Malformed) -> UInt8 {
        guard offset < bytes.count else { throw Malformed(offset: offset) }
        offset += 1
        return bytes[offset - 1]
    }

    private mutating func word() throws(Malformed) -> UInt64 {
        guard bytes.count - offset >= 8 else { throw Malformed(offset: offset) }
        offset += 8
        return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset - 8, as: UInt64.self))
    }

    private mutating func blob() throws(Malformed) -> UnsafeRawBufferPointer {
        let begin = offset
        let length = Int(try varint())
        guard length <= bytes.count - offset else { throw Malformed(offset: begin) }
        offset += length
        return bytes(from: offset - length, to: offset)
    }

    /// At most five bytes: lengths have at most 31 bits.
    private mutating func varint() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        for _ in 0..<5 {
            let byte = try byte()
            value = value << 7 | UInt64(byte & 0x7f)
            if byte & 0x80 == 0 { return value }
        }
        throw Malformed(offset: offset - 1)
    }

    private func bytes(from start: Int, to end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }
}
