/// The checksum of two parts from the checksum of each: CRC-32C of `a` followed by `b`, which has `count` bytes.
///
/// A CRC is a remainder of polynomials, so that what `count` bytes behind `a` do to its checksum is a multiplication by
/// x to the 8·count. (zlib's `crc32_combine`, Mark Adler, for this polynomial.) Some hundred nanoseconds, whatever the
/// count.
func crc32c(_ a: UInt32, followedBy b: UInt32, count: Int) -> UInt32 {
    var factor: UInt32 = 1 << 31
    var rest = count
    // 8·count is `count` shifted by three places.
    var index = 3
    while rest > 0 {
        if rest & 1 == 1 { factor = product(powers[index & 31], factor) }
        rest >>= 1
        index += 1
    }
    return product(factor, a) ^ b
}

/// Of two polynomials modulo the Castagnoli polynomial; bits reflected, so the highest bit is that of x to the 0.
private func product(_ a: UInt32, _ b: UInt32) -> UInt32 {
    var result: UInt32 = 0
    var multiple = b
    for place in (0..<32).reversed() {
        if a >> UInt32(place) & 1 == 1 { result ^= multiple }
        multiple = multiple & 1 == 1 ? multiple >> 1 ^ 0x82f6_3b78 : multiple >> 1
    }
    return result
}

/// x to the 2^n.
private let powers: [UInt32] = {
    var powers: [UInt32] = [1 << 30]
    for _ in 1..<32 { powers.append(product(powers[powers.count - 1], powers[powers.count - 1])) }
    return powers
}()
