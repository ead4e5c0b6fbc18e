/// Ordinal of an entry in the log, from 1; 0 stands before the first (not a byte offset, unlike PostgreSQL's).
public struct LSN: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public static let zero = LSN(0)
    public var next: LSN { LSN(value + 1) }
    public static func < (left: LSN, right: LSN) -> Bool { left.value < right.value }
    public var description: String { "\(value)" }
}

/// Counts primaries: one node each, odd for node A and even for node B. Also the fencing token on every frame.
public struct Epoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public static let zero = Epoch(0)
    public static func < (left: Epoch, right: Epoch) -> Bool { left.value < right.value }
    public var description: String { "e\(value)" }

    /// The node whose number this is (rule R7).
    public var owner: NodeName { value % 2 == 1 ? .a : .b }
}

/// How two logs are compared: by the epoch of their last entry first. (epoch, LSN) names one entry for ever (rule R7).
public struct Position: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var epoch: Epoch
    public var lsn: LSN
    public init(_ epoch: Epoch, _ lsn: LSN) { (self.epoch, self.lsn) = (epoch, lsn) }
    public static let zero = Position(.zero, .zero)
    public static func < (left: Position, right: Position) -> Bool {
        (left.epoch, left.lsn) < (right.epoch, right.lsn)
    }
    public var description: String { "\(epoch):\(lsn)" }
}

/// One of the pair's two nodes.
public enum NodeName: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case a, b
    public var other: NodeName { self == .a ? .b : .a }
    public var description: String { rawValue }

    /// The smallest epoch of this node above another's (rule R7).
    package func epoch(above floor: Epoch) -> Epoch {
        let next = Epoch(floor.value + 1)
        return next.owner == self ? next : Epoch(floor.value + 2)
    }
}

/// 128 random bits that name a thing for ever: a pair, a disk, a witness.
public struct RandomID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var high, low: UInt64
    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }
    public static let zero = RandomID(high: 0, low: 0)
    public static func < (left: RandomID, right: RandomID) -> Bool { (left.high, left.low) < (right.high, right.low) }

    /// 32 lower-case hexadecimal digits.
    public var description: String { Self.hex(high) + Self.hex(low) }

    public init?(_ text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 32, let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    private static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// A moment in nanoseconds on one machine's monotonic clock; never compared between machines, never used for safety.
public struct Instant: Hashable, Comparable, Sendable {
    public var nanoseconds: UInt64
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
    public func advanced(byMilliseconds milliseconds: UInt64) -> Instant {
        Instant(nanoseconds: nanoseconds + milliseconds * 1_000_000)
    }
}
