import Replication

/// What kind of world a seed walks through.
struct Profile {
    /// How long things usually take and, `rare` times in a hundred, take instead; microseconds.
    struct Delay {
        var usual: ClosedRange<UInt64>
        var rare: ClosedRange<UInt64>
        var percent: UInt64
    }
    var network = Delay(usual: 50...500, rare: 5_000...80_000, percent: 2)
    var disk = Delay(usual: 100...3_000, rare: 10_000...200_000, percent: 3)
    var database = Delay(usual: 100...2_000, rare: 50_000...3_000_000, percent: 1)
    var witness = Delay(usual: 200...2_000, rare: 20_000...700_000, percent: 10)
    /// Between two faults, two writes and two reads; microseconds.
    var faultEvery: ClosedRange<UInt64>
    var writeEvery: ClosedRange<UInt64>
    var readEvery: ClosedRange<UInt64>
    /// Of a hundred requests to the witness whose connection closes, so many arrive afterwards all the same.
    var limbo: UInt64
    /// Of a hundred crashes, so many are power cuts.
    var powerCuts: UInt64
    var clocksDiffer: Bool
    var weights: [(fault: Fault, weight: UInt64)]
    var timings = Timings()
    var nearlyLevel: UInt64 = 64

    init(_ random: inout SplitMix64) {
        let hurry = random.chance(30)
        faultEvery = hurry ? 5_000...150_000 : 50_000...1_500_000
        writeEvery = random.chance(20) ? 100_000...1_000_000 : 500...20_000
        readEvery = random.chance(50) ? 100_000...1_000_000 : 1_000...50_000
        limbo = random.chance(50) ? 80 : 20
        powerCuts = random.within(0...100)
        clocksDiffer = random.chance(30)
        weights = Fault.allCases.map { ($0, 10) }
        for index in weights.indices where random.chance(40) { weights[index].weight = random.chance(50) ? 0 : 40 }
        if random.chance(30) { network = Delay(usual: 50...5_000, rare: 50_000...900_000, percent: 3) }
        if random.chance(30) { disk = Delay(usual: 1_000...30_000, rare: 100_000...900_000, percent: 3) }
        if random.chance(60) { nearlyLevel = random.within(0...4) }
        // Shorter than in life, so that healing does not wait for it.
        timings.flapWindow = 3_000
        timings.raiseFloor = random.chance(50) ? 500 : 60_000
    }

    /// Nothing takes longer than usual, and no clock is wrong.
    mutating func calm() {
        network = Delay(usual: 50...500, rare: 0...0, percent: 0)
        (disk.percent, database.percent, witness.percent) = (0, 0, 0)
        disk.usual = 100...10_000
        (writeEvery, readEvery) = (50_000...150_000, 50_000...150_000)
        clocksDiffer = false
    }

    func fault(_ random: inout SplitMix64) -> Fault {
        var ticket = random.below(weights.reduce(0) { $0 + $1.weight })
        for (fault, weight) in weights {
            if ticket < weight { return fault }
            ticket -= weight
        }
        return .crash
    }
}

enum Fault: CaseIterable {
    case crash, crashBoth, pause, breakLink, silenceLink, witnessCrash, witnessUnreachable, witnessSlow, slowDisk
    case slowDatabase, switchOver, witnessMoves
}

extension SplitMix64 {
    mutating func draw(_ delay: Profile.Delay) -> UInt64 {
        within(chance(delay.percent) ? delay.rare : delay.usual)
    }
}
