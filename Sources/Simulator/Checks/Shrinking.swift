/// Leaves out faults as long as the run still ends in the same kind of violation: what remains is what it takes.
package struct Shrinking {
    private let seed: UInt64
    /// The word that the violation begins with.
    private let kind: String
    private var without: Set<Int>
    private var kept: [Int]
    package private(set) var runs = 0

    /// Nil: this seed has no violation.
    package init?(seed: UInt64) {
        let verdict = simulate(seed: seed)
        guard let violation = verdict.violation else { return nil }
        self.seed = seed
        kind = Self.kind(of: violation)
        kept = verdict.faultsApplied
        without = Set(0..<verdict.faultsPlanned).subtracting(kept)
        // Those that found nothing to break had no part in it, mostly.
        if !fails(without) { (without, kept) = ([], Array(0..<verdict.faultsPlanned)) }
    }

    private static func kind(of violation: String) -> String { String(violation.prefix { $0 != ":" }) }

    private mutating func fails(_ without: Set<Int>) -> Bool {
        runs += 1
        return simulate(seed: seed, without: without).violation.map { Self.kind(of: $0) == kind } ?? false
    }

    /// Halves first, then quarters, and so on down to single faults, until none can be left out any more (delta
    /// debugging, Zeller and Hildebrandt, 2002).
    /// - Returns: the numbers of the faults to be left out, ascending; and how many remain.
    package mutating func run(_ progress: (Int) -> Void = { _ in }) -> (without: [Int], remain: Int) {
        var size = max(kept.count / 2, 1)
        while !kept.isEmpty {
            var start = 0
            var dropped = false
            while start < kept.count {
                let part = kept[start..<min(start + size, kept.count)]
                if fails(without.union(part)) {
                    without.formUnion(part)
                    kept.removeAll { part.contains($0) }
                    dropped = true
                } else {
                    start += size
                }
                progress(kept.count)
            }
            if size == 1 && !dropped { break }
            size = max(size / 2, 1)
        }
        return (without.sorted(), kept.count)
    }
}
