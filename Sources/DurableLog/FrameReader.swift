import Replication
import Wire

/// Reads the frames of one segment, a piece of the file at a time.
struct FrameReader {
    enum Found {
        case entry(EntryHeader)
        /// No valid frame begins here: why.
        case nothing(String)
    }

    /// Read at once: a fraction of a millisecond, and many frames.
    static let piece = 256 << 10

    let segment: Segment
    private var salt: UInt32 { segment.salt }
    private let buffer: Buffer
    /// The part of the file that the buffer holds.
    private var start = 0
    private var window = UnsafeRawBufferPointer(start: nil, count: 0)

    /// - Parameter buffer: in the hands of this reader until it is no longer used.
    init(_ segment: Segment, buffer: Buffer) {
        (self.segment, self.buffer) = (segment, buffer)
    }

    /// Judges the frame that begins at an offset. Memory is taken only for a length that the head's checksum confirms.
    mutating func entry(at offset: Int) throws(LogError) -> Found {
        let head = try bytes(EntryFrame.headSize, at: offset)
        let length: Int
        do throws(FrameError) {
            guard let found = try EntryHeader.length(of: head, salt: salt) else { return .nothing("the file ends") }
            length = found
        } catch { return .nothing("\(error)") }
        let frame = try bytes(length, at: offset)
        do throws(FrameError) {
            guard let entry = try EntryHeader(of: frame, salt: salt) else { return .nothing("the file ends in it") }
            return .entry(entry)
        } catch { return .nothing("\(error)") }
    }

    /// The whole frame of an entry that was just found at this offset, as it goes to the other node.
    mutating func frame(of entry: EntryHeader, at offset: Int) throws(LogError) -> EntryFrame {
        let bytes = try bytes(entry.length, at: offset)
        do throws(FrameError) {
            if let frame = try EntryFrame.decode(bytes, salt: salt) { return frame }
        } catch {}
        throw segment.damaged(at: offset, "an entry changed while it was read")
    }

    /// The entry of this LSN, which must be where it was when it was appended or recovered.
    mutating func expect(_ lsn: LSN, at offset: Int) throws(LogError) -> EntryHeader {
        switch try entry(at: offset) {
        case .entry(let entry) where entry.position.lsn == lsn: return entry
        case .entry(let entry): throw segment.damaged(at: offset, "entry \(entry.position) where \(lsn) was")
        case .nothing(let reason): throw segment.damaged(at: offset, reason)
        }
    }

    /// Where an entry's frame begins; the segment's end if it is the one after the last.
    mutating func offset(of lsn: LSN) throws(LogError) -> Int {
        if lsn == segment.last.next { return segment.end }
        var (at, offset) = segment.start(for: lsn)
        while at < lsn {
            offset += try expect(at, at: offset).length
            at = at.next
        }
        return offset
    }

    /// What follows an offset, as much as is at hand. Valid until the next call.
    mutating func rest(at offset: Int) throws(LogError) -> UnsafeRawBufferPointer {
        let from = offset - start
        if from < 0 || from + 4096 > window.count { return try bytes(Self.piece, at: offset) }
        return UnsafeRawBufferPointer(rebasing: window[from...])
    }

    /// Bytes of the file, fewer at its end. Valid until the next call.
    private mutating func bytes(_ count: Int, at offset: Int) throws(LogError) -> UnsafeRawBufferPointer {
        let from = offset - start
        if from < 0 || from + count > window.count {
            window = try buffer.fill(max(count, Self.piece), from: segment.file, at: offset)
            start = offset
            return UnsafeRawBufferPointer(rebasing: window.prefix(count))
        }
        return UnsafeRawBufferPointer(rebasing: window[from..<from + count])
    }
}
