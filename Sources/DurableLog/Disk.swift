/// What this module asks of a disk, so that tests and the simulator can put one underneath that loses, at a crash, what
/// was not synced. The real one is `PosixDirectory`.
///
/// The contract is that of a journaling POSIX file system: a change to a file is on the disk after a `sync` of the
/// file, a name after one of the directory. Until then each 512-byte sector may or may not be there, in any order;
/// names change in theirs. A sector is never torn.
package protocol DiskDirectory: ReadableDirectory {
    /// An empty file, whether or not there was one of that name.
    func create(_ name: String) throws(LogError) -> any DiskFile
    /// Replaces what has the new name.
    func rename(_ name: String, to new: String) throws(LogError)
    func remove(_ name: String) throws(LogError)
    func sync() throws(LogError)
}

/// What somebody needs who only looks.
package protocol ReadableDirectory: AnyObject {
    var path: String { get }
    func names() throws(LogError) -> [String]
    func open(_ name: String) throws(LogError) -> any DiskFile
}

package protocol DiskFile: AnyObject {
    /// For messages only; to be set when the file is renamed.
    var path: String { get set }
    func size() throws(LogError) -> Int
    /// When it was last written to: seconds since 1970, by the machine's clock, which may be wrong.
    func modified() throws(LogError) -> Int64
    /// Returns fewer bytes than the buffer holds only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(LogError) -> Int
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(LogError)
    /// Reserves room up to this size, so that no later write in it meets a full disk; new bytes read as 0.
    func reserve(_ size: Int) throws(LogError)
    func sync() throws(LogError)
}

extension ReadableDirectory {
    func path(of name: String) -> String { path + "/" + name }
}

extension DiskFile {
    /// Writes zeros from one offset up to another.
    func erase(from start: Int, to end: Int) throws(LogError) {
        let zeros = [UInt8](repeating: 0, count: min(max(end - start, 0), 1 << 20))
        var offset = start
        while offset < end {
            let piece = zeros.span.bytes.extracting(first: end - offset)
            try piece.withUnsafeBytes { bytes throws(LogError) in try write(bytes, at: offset) }
            offset += piece.byteCount
        }
    }
}
