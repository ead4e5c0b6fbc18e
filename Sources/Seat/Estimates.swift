/// A usual time and how far it varies, in nanoseconds: TCP's estimator (RFC 6298), for the same purpose.
struct UsualTime: Equatable {
    private(set) var smoothed: UInt64 = 0
    private(set) var deviation: UInt64 = 0
    var isKnown: Bool { smoothed > 0 }

    mutating func add(_ sample: UInt64) {
        let sample = max(sample, 1)
        guard isKnown else {
            (smoothed, deviation) = (sample, sample / 2)
            return
        }
        let error = sample > smoothed ? sample - smoothed : smoothed - sample
        deviation = (deviation * 3 + error) / 4
        smoothed = max((smoothed * 7 + sample) / 8, 1)
    }
}

/// How long the last answers took, in nanoseconds: what is slower than 99 in 100 of them is late. (Dean and Barroso,
/// "The Tail at Scale", 2013, who ask for a second answer at the 95th percentile.)
struct AnswerTimes: Equatable {
    private static let count = 200
    private var samples: [UInt64] = []
    private var next = 0

    mutating func add(_ sample: UInt64) {
        if samples.count < Self.count { samples.append(sample) } else { samples[next] = sample }
        next = (next + 1) % Self.count
    }

    /// Of so few samples, the longest or the third longest. 0: not known.
    var percentile99: UInt64 {
        var longest: (UInt64, UInt64, UInt64) = (0, 0, 0)
        for sample in samples where sample > longest.2 {
            if sample > longest.0 {
                longest = (sample, longest.0, longest.1)
            } else if sample > longest.1 {
                longest = (longest.0, sample, longest.1)
            } else {
                longest.2 = sample
            }
        }
        return samples.count < Self.count ? longest.0 : longest.2
    }
}

/// Delays that double, each anywhere in its upper half, so that a thousand seats don't move in step.
struct Backoff: Equatable {
    private let first: UInt64, last: UInt64
    private var next: UInt64

    init(from first: UInt64, to last: UInt64) { (self.first, self.last, next) = (first, last, first) }

    /// Nanoseconds. The bounds are milliseconds.
    /// - Parameter bounds: narrower ones, for this time.
    mutating func delay(_ random: inout Random, within bounds: ClosedRange<UInt64>? = nil) -> UInt64 {
        let delay = bounds.map { min(max(next, $0.lowerBound), $0.upperBound) } ?? next
        next = min(delay * 2, max(last, delay))
        return delay * 500_000 + random.below(delay * 500_000 + 1)
    }

    mutating func reset() { next = first }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the seed is an argument of the session, so a test sees the same delays always.
package struct Random: Equatable, RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }
}
