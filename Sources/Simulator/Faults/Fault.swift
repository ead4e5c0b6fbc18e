/// What can go wrong, by kind: the seed draws a plan of these beforehand, so that a single one can be left out.
struct Fault {
    let number: Int
    /// Nanoseconds since the run began.
    let time: UInt64
    let kind: Kind
    /// Of what its details are drawn from: leaving out another one does not move them.
    let seed: UInt64

    enum Kind: String, CaseIterable {
        // Processes and clocks.
        case kill, killBoth, killAtEffect, endAtDiskChange, cutPower, cutPowerOfBoth, pause, clock
        // The network.
        case cutLinks, clog, slowPath, breakConnections, expireCertificate
        // The witness.
        case killWitness, cutPowerOfWitness, pauseWitness, lateRequests
        // Disks.
        case slowSync, fullDisk
        case failSync, flipLog, flipDatabase, misdirectWrite, wipe, putBack
        case flipWitness, wipeWitness, putBackWitness, moveWitness
        // Load, and people.
        case stuckDatabase, longTransaction, switchover, restartSeat, forcedAct
        // Several at once.
        case splitSeats, deafen, failMains

        /// Takes something that was promised to be kept: only while everything else is whole, or it is two losses.
        var isWound: Bool {
            switch self {
            case .failSync, .flipLog, .flipDatabase, .misdirectWrite, .wipe, .putBack, .flipWitness, .wipeWitness,
                .putBackWitness, .moveWitness, .forcedAct:
                true
            default: false
            }
        }

        /// Happens to one node only: a wounded one may have it too.
        var endsNode: Bool {
            switch self {
            case .kill, .killAtEffect, .endAtDiskChange, .cutPower: true
            default: false
            }
        }
    }

    /// Some seeds have none of a kind, some have many: rare courses of events need a bias (swarm testing, Groce and
    /// others, 2012).
    static func plan(until end: UInt64, _ random: inout SeededRandom) -> [Fault] {
        var weights = Kind.allCases.map { kind in (kind, kind.isWound ? 2 as UInt64 : 10) }
        for index in weights.indices where random.chance(50) {
            weights[index].1 = random.chance(70) ? 0 : weights[index].1 * 5
        }
        if weights.allSatisfy({ $0.1 == 0 }) { weights[0].1 = 1 }
        let every: ClosedRange<UInt64> = random.chance(40) ? 5_000_000...300_000_000 : 100_000_000...3_000_000_000
        let total = weights.reduce(0) { $0 + $1.1 }
        var faults: [Fault] = []
        var time = random.within(500_000_000...2_000_000_000)
        while time < end {
            var ticket = random.below(total)
            for (kind, weight) in weights {
                if ticket < weight {
                    faults.append(Fault(number: faults.count, time: time, kind: kind, seed: random.next()))
                    break
                }
                ticket -= weight
            }
            time += random.within(every)
        }
        return faults
    }
}
