import CChecksum

/// CRC-32C; `from` is the checksum of what came before, or a salt.
@inline(__always)
package func crc32c(_ bytes: UnsafeRawBufferPointer, from start: UInt32 = 0) -> UInt32 {
    twinline_crc32c(start, bytes.baseAddress, bytes.count)
}

// Big-endian integers at any offset, bounds checked.
extension UnsafeRawBufferPointer {
    @inline(__always)
    package func load<Integer: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Integer {
        precondition(offset >= 0 && offset + MemoryLayout<Integer>.size <= count)
        return Integer(bigEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}

extension UnsafeMutableRawBufferPointer {
    @inline(__always)
    package func store<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<Integer>.size <= count)
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: Integer.self)
    }
}
