/// SipHash-2-4 with 64 or 128 bits of output (Aumasson and Bernstein, 2012, and its 128-bit variant of 2013), fed piece
/// by piece: for the log's chain values and the database's digest. The key is fixed and published: it guards against
/// accidents of structure, not against an attacker.
package struct SipHash {
    private var v0, v1, v2, v3: UInt64
    /// The bytes not yet compressed, in the low bits; `length` tells how many.
    private var tail: UInt64 = 0
    private var length: UInt64 = 0
    private let wide: Bool

    package init(k0: UInt64, k1: UInt64, wide: Bool) {
        v0 = k0 ^ 0x736f_6d65_7073_6575
        v1 = k1 ^ 0x646f_7261_6e64_6f6d ^ (wide ? 0xee : 0)
        v2 = k0 ^ 0x6c79_6765_6e65_7261
        v3 = k1 ^ 0x7465_6462_7974_6573
        self.wide = wide
    }

    @inline(__always)
    private mutating func round() {
        v0 &+= v1; v1 = (v1 << 13 | v1 >> 51) ^ v0; v0 = v0 << 32 | v0 >> 32
        v2 &+= v3; v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 &+= v3; v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 &+= v1; v1 = (v1 << 17 | v1 >> 47) ^ v2; v2 = v2 << 32 | v2 >> 32
    }

    @inline(__always)
    private mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    @inline(__always)
    package mutating func combine(_ byte: UInt8) {
        tail |= UInt64(byte) << (8 * (length & 7))
        length &+= 1
        if length & 7 == 0 {
            compress(tail)
            tail = 0
        }
    }

    /// As its eight bytes, least significant first.
    @inline(__always)
    package mutating func combine(_ word: UInt64) {
        let used = 8 * (length & 7)
        length &+= 8
        if used == 0 { return compress(word) }
        compress(tail | word << used)
        tail = word >> (64 - used)
    }

    package mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset + 8 <= bytes.count {
            combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        while offset < bytes.count {
            combine(bytes[offset])
            offset += 1
        }
    }

    private mutating func finish() {
        compress(tail | length << 56)
        v2 ^= wide ? 0xee : 0xff
        for _ in 0..<4 { round() }
    }

    package consuming func finalize64() -> UInt64 {
        finish()
        return v0 ^ v1 ^ v2 ^ v3
    }

    package consuming func finalize128() -> UInt128 {
        finish()
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        for _ in 0..<4 { round() }
        return UInt128(v0 ^ v1 ^ v2 ^ v3) << 64 | UInt128(low)
    }
}
