import Foundation

/// What the writes to one file have overwritten since its last sync: a file of Deploy/drill/Power.c, whose header
/// describes it.
struct UnsyncedWrites: Equatable {
    struct Write: Equatable {
        var offset: Int
        var count: Int
        /// Of the file, before this write.
        var length: Int
        var overwritten: [UInt8]
    }

    /// The oldest first.
    var writes: [Write] = []

    static let sector = 512

    init(writes: [Write]) { self.writes = writes }

    /// Ends where the last record that is whole does: its writer may have been killed in the middle.
    init(_ bytes: [UInt8]) {
        func word(_ at: Int) -> Int? {
            guard at >= 0, at + 8 <= bytes.count else { return nil }
            return Int(truncatingIfNeeded: bytes[at..<at + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        }
        guard var at = word(0), at >= 8 else { return }
        while let offset = word(at), let count = word(at + 8), let length = word(at + 16), let kept = word(at + 24),
            kept >= 0, kept <= bytes.count - at - 32, offset >= 0, count >= 0, length >= 0
        {
            writes.append(
                Write(
                    offset: offset, count: count, length: length,
                    overwritten: Array(bytes[at + 32..<at + 32 + kept])))
            at += 32 + kept
        }
    }

    /// Gives the file what the disk holds after the power is gone: without any of these writes, or, by chance, each
    /// sector as one or other of them left it. Writes between two syncs reach a disk in any order.
    /// - Parameter chance: nil: none of them has reached it.
    func undo(in content: inout [UInt8], chance: ((ClosedRange<Int>) -> Int)? = nil) {
        guard let first = writes.first else { return }
        var reached: [Int: Int] = [:]
        for (index, write) in writes.enumerated().reversed() {
            // The file was cut off: it has its tail again.
            let isCut = write.length > content.count
            if isCut { content += [UInt8](repeating: 0, count: write.length - content.count) }
            for sector in write.offset / Self.sector...max(write.offset + write.count - 1, write.offset) / Self.sector {
                let last = reached[sector] ?? chance.map { $0(0...writes.count) } ?? 0
                reached[sector] = last
                guard isCut || index >= last else { continue }
                let from = max(write.offset, sector * Self.sector)
                let to = min(write.offset + write.count, (sector + 1) * Self.sector, content.count)
                guard from < to else { continue }
                let kept = write.overwritten.dropFirst(from - write.offset).prefix(to - from)
                content.replaceSubrange(from..<to, with: kept + [UInt8](repeating: 0, count: to - from - kept.count))
            }
        }
        let length = chance.map { $0(0...1) == 0 } == true ? content.count : first.length
        if content.count > length { content.removeLast(content.count - length) }
        content += [UInt8](repeating: 0, count: length - content.count)
    }
}
