/// A file in memory: its bytes as programs see them, and, of each sector that was written since the last sync, what the
/// disk still holds.
final class SimulatedFile {
    static let sector = 512

    private(set) var bytes: [UInt8]
    /// The sectors written since the last sync, in the order of their first writing …
    private var dirty: [Int] = []
    /// … and what the disk holds of each.
    private var before: [UInt8] = []
    /// For each sector the sync interval in which it was last written to.
    private var marks: [UInt32] = []
    private var interval: UInt32 = 1
    private var durableSize: Int
    private var shared: SharedState?

    init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
        durableSize = bytes.count
        marks = Self.unmarked(bytes.count)
    }

    private static func sectors(_ size: Int) -> Int { (size + sector - 1) / sector }
    private static func unmarked(_ size: Int) -> [UInt32] { [UInt32](repeating: 0, count: sectors(size)) }

    func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        let end = min(offset + target.count, bytes.count)
        guard offset < end else { return 0 }
        bytes.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<end])) }
        return end - offset
    }

    func write(_ source: UnsafeRawBufferPointer, at offset: Int) {
        guard !source.isEmpty else { return }
        grow(to: offset + source.count)
        remember(offset..<offset + source.count)
        bytes.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[offset...]).copyMemory(from: source) }
    }

    func grow(to size: Int) {
        let missing = size - bytes.count
        guard missing > 0 else { return }
        bytes.append(contentsOf: repeatElement(0, count: missing))
        marks.append(contentsOf: repeatElement(0, count: Self.sectors(size) - marks.count))
    }

    func truncate(to size: Int) {
        guard size < bytes.count else { return }
        remember(size..<bytes.count)
        bytes.removeLast(bytes.count - size)
        marks.removeLast(marks.count - Self.sectors(size))
    }

    private func remember(_ range: Range<Int>) {
        let end = (range.upperBound - 1) / Self.sector + 1
        var sector = range.lowerBound / Self.sector
        while sector < end {
            let length = marks[sector..<end].prefix { $0 != interval }.count
            if length > 0 { keep(sector..<sector + length) }
            sector += max(length, 1)
        }
    }

    private func keep(_ sectors: Range<Int>) {
        marks.withUnsafeMutableBufferPointer { $0[sectors].update(repeating: interval) }
        dirty.append(contentsOf: sectors)
        let (start, end) = (sectors.lowerBound * Self.sector, sectors.upperBound * Self.sector)
        bytes.withUnsafeBytes {
            before.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[start..<min(end, $0.count)]))
        }
        before.append(contentsOf: repeatElement(0, count: max(end - bytes.count, 0)))
    }

    /// Of the process of this number; what another one had is gone with it.
    func sharedState(life: Int) -> SharedState {
        if let shared, shared.life == life { return shared }
        let state = SharedState(life: life)
        shared = state
        return state
    }

    var isSynced: Bool { dirty.isEmpty && durableSize == bytes.count }

    func sync() {
        dirty.removeAll(keepingCapacity: true)
        before.removeAll(keepingCapacity: true)
        interval += 1
        durableSize = bytes.count
    }

    /// What is on the disk for certain.
    var durable: [UInt8] {
        guard !isSynced else { return bytes }
        var result = bytes
        let size = max(durableSize, result.count)
        if size > result.count { result.append(contentsOf: repeatElement(0, count: size - result.count)) }
        // The oldest last: a sector that was cut off and written again was remembered twice.
        for index in dirty.indices.reversed() {
            let start = dirty[index] * Self.sector
            let end = min(start + Self.sector, result.count)
            guard start < end else { continue }
            let old = index * Self.sector
            result.replaceSubrange(start..<end, with: before[old..<old + (end - start)])
        }
        result.removeLast(result.count - durableSize)
        return result
    }

    /// After a power cut each sector that was not synced is as it was, or as it was last written.
    func afterPowerCut(_ random: inout SeededRandom, _ loss: PowerLoss) -> [UInt8] {
        guard !isSynced else { return bytes }
        var result = durable
        var seen = 0
        let limit = loss == .tail ? Int(random.below(UInt64(dirty.count) + 1)) : 0
        for sector in dirty {
            seen += 1
            let survives =
                switch loss {
                case .everything: false
                case .nothing: true
                case .some: random.chance(50)
                case .tail: seen <= limit
                }
            let start = sector * Self.sector
            let end = min(start + Self.sector, bytes.count)
            guard survives, start < end else { continue }
            if result.count < end { result.append(contentsOf: repeatElement(0, count: end - result.count)) }
            result.replaceSubrange(start..<end, with: bytes[start..<end])
        }
        if loss == .nothing {
            if result.count > bytes.count { result.removeLast(result.count - bytes.count) }
            result.append(contentsOf: repeatElement(0, count: bytes.count - result.count))
        }
        return result
    }

    /// A sync has failed: the system drops what it could not write, and programs see what the disk has.
    func failSync(_ random: inout SeededRandom) {
        bytes = afterPowerCut(&random, .some)
        marks = Self.unmarked(bytes.count)
        sync()
    }

    /// A bit that changes by itself, on the disk.
    func flip(bit: Int) {
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    }
}

/// What a power cut takes of what was not synced.
enum PowerLoss: CaseIterable { case everything, nothing, some, tail }
