/// Memory for reading and writing files, kept between uses.
final class Buffer {
    /// What is kept for the next use; more, for a huge entry, is given back.
    private static let kept = 4 << 20

    private(set) var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    deinit { bytes.deallocate() }

    /// At least so many bytes, of any content.
    func reserve(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if bytes.count < count || bytes.count > max(Self.kept, count) {
            bytes.deallocate()
            bytes = .allocate(byteCount: max(count, 4096), alignment: 16)
        }
        return bytes
    }

    /// Reads so many bytes, or fewer at the end of the file. Valid until the buffer is used again.
    func fill(_ count: Int, from file: any DiskFile, at offset: Int) throws(LogError) -> UnsafeRawBufferPointer {
        let target = UnsafeMutableRawBufferPointer(rebasing: reserve(count)[..<count])
        let found = try file.read(into: target, at: offset)
        return UnsafeRawBufferPointer(rebasing: target[..<found])
    }
}
