/// A changeset while it grows: one piece of memory that is kept from batch to batch.
///
/// The format is SQLite's (sqlite3session.c, "CHANGESET FORMAT"), so that its own tools read it:
///
///     table header   'T', number of columns (varint), one byte for each column (its place in the
///                    primary key from 1, or 0), name, zero
///     change         operation (18 INSERT, 9 DELETE, 23 UPDATE), indirect (1: by a trigger), then one record of all
///                    columns for INSERT and DELETE, two for UPDATE: old values (those of the key and those that
///                    change), new values (those that change)
///     value          type (0 not part of it, 1 integer, 2 real, 3 text, 4 blob, 5 NULL), then 8 bytes, big-endian, for
///                    integer and real; for text and blob the length (varint) and the bytes
///
/// Unlike SQLite's sessions it keeps the operations in the order in which they happened.
struct ChangesetBuffer: ~Copyable {
    private var start: UnsafeMutableRawPointer
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int = 1 << 16) {
        start = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
    }

    deinit { start.deallocate() }

    var array: [UInt8] { [UInt8](UnsafeRawBufferPointer(start: start, count: count)) }

    mutating func truncate(to count: Int) { self.count = count }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        start.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    @inline(__always)
    mutating func append(_ value: CellValue) {
        switch value {
        case .undefined: append(0 as UInt8)
        case .integer(let integer): append(type: 1, UInt64(bitPattern: integer))
        case .real(let real): append(type: 2, real.bitPattern)
        case .text(let bytes): append(type: 3, bytes)
        case .blob(let bytes): append(type: 4, bytes)
        case .null: append(5 as UInt8)
        }
    }

    @inline(__always)
    private mutating func append(type: UInt8, _ word: UInt64) {
        reserve(9)
        start.storeBytes(of: type, toByteOffset: count, as: UInt8.self)
        start.storeBytes(of: word.bigEndian, toByteOffset: count + 1, as: UInt64.self)
        count += 9
    }

    @inline(__always)
    private mutating func append(type: UInt8, _ bytes: UnsafeRawBufferPointer) {
        append(type)
        append(varint: UInt64(bytes.count))
        append(bytes)
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (start + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    /// SQLite's: seven bits a byte, the most significant first, the high bit set on all but the last. Lengths have at
    /// most 31 bits.
    @inline(__always)
    private mutating func append(varint value: UInt64) {
        var shift: UInt64 = 28
        while shift > 0 {
            if value >> shift != 0 { append(UInt8(truncatingIfNeeded: value >> shift) | 0x80) }
            shift -= 7
        }
        append(UInt8(truncatingIfNeeded: value) & 0x7f)
    }

    @inline(__always)
    private mutating func reserve(_ room: Int) {
        if count + room > capacity { grow(by: room) }
    }

    @inline(never)
    private mutating func grow(by room: Int) {
        capacity = max(capacity * 2, count + room)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        larger.copyMemory(from: start, byteCount: count)
        start.deallocate()
        start = larger
    }
}
