import Replication
import Wire

/// The rules of the digest (`Digest`), version 1. They are a format: both nodes must compute the same, so a change
/// needs another version.
///
/// Each row of a replicated table adds one term for itself, and one for each cell outside the key that isn't NULL:
///
///     row term   H(table, key values)
///     cell term  H(table, key values, column, value)
///
/// H is SipHash-2-4 with 128 bits of output under the published key below. It is fed 64-bit words:
///
///     table      as a text value
///     keys       the values of the primary key's columns, in the order of the table's columns
///     column     one word: SipHash-2-4, 64 bits, same key, of the column's name
///     value      a word: type (1 integer, 2 real, 3 text, 4 blob) | length in bytes << 8, then
///                integer: itself, two's complement; real: its IEEE 754 bits, never negative zero;
///                text, blob: their bytes, eight to a word, the least significant first, the last filled up with zeros
///
/// A NULL adds nothing, so it differs from every value, and adding an empty column changes no digest. The key's cells
/// need no terms of their own: the row's term holds them. A whole number in a column of REAL affinity counts as real.
struct CellHash {
    private static let key: (UInt64, UInt64) = (0x5477_696e_6c69_6e65, 0x2064_6967_6573_7431)
    private var state: SipHash

    /// Of all rows of a table.
    init(table name: String) {
        state = SipHash(k0: Self.key.0, k1: Self.key.1, wide: true)
        var name = name
        name.withUTF8 { feed(.text(UnsafeRawBufferPointer($0))) }
    }

    static func column(_ name: String) -> UInt64 {
        var hash = SipHash(k0: key.0, k1: key.1, wide: false)
        var name = name
        name.withUTF8 { hash.combine(UnsafeRawBufferPointer($0)) }
        return hash.finalize64()
    }

    /// Of one row, once all values of its key are fed, in the order of the columns.
    @inline(__always)
    mutating func feed(key value: CellValue) { feed(value) }

    @inline(__always)
    var row: UInt128 { state.finalize128() }

    @inline(__always)
    func cell(_ column: UInt64, _ value: CellValue) -> UInt128 {
        if case .null = value { return 0 }
        var copy = self
        copy.state.combine(column)
        copy.feed(value)
        return copy.state.finalize128()
    }

    @inline(__always)
    private mutating func feed(_ value: CellValue) {
        switch value {
        case .integer(let integer):
            state.combine(1 as UInt64)
            state.combine(UInt64(bitPattern: integer))
        case .real(let real):
            state.combine(2 as UInt64)
            state.combine(real == 0 ? 0 : real.bitPattern)
        case .text(let bytes): feed(bytes, type: 3)
        case .blob(let bytes): feed(bytes, type: 4)
        case .null, .undefined: state.combine(5 as UInt64)
        }
    }

    @inline(__always)
    private mutating func feed(_ bytes: UnsafeRawBufferPointer, type: UInt64) {
        state.combine(type | UInt64(bytes.count) << 8)
        var offset = 0
        while offset + 8 <= bytes.count {
            state.combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        guard offset < bytes.count else { return }
        var last: UInt64 = 0
        for index in offset..<bytes.count { last |= UInt64(bytes[index]) << UInt64(8 * (index - offset)) }
        state.combine(last)
    }
}
