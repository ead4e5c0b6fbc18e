import Replication

/// What kind of world a seed makes: how long things take, how much is asked for, what goes wrong.
struct Profile {
    /// How long things usually take and, so many times in a thousand, take instead; nanoseconds.
    struct Delay {
        var usual: ClosedRange<UInt64>
        var rare: ClosedRange<UInt64>
        var perMille: UInt64
    }
    var network = Delay(usual: 50_000...400_000, rare: 5_000_000...80_000_000, perMille: 5)
    var disk = Delay(usual: 60_000...2_000_000, rare: 10_000_000...200_000_000, perMille: 10)
    var database = Delay(usual: 60_000...900_000, rare: 50_000_000...2_000_000_000, perMille: 3)
    var witness = Delay(usual: 200_000...3_000_000, rare: 20_000_000...700_000_000, perMille: 30)
    var seats: Int
    /// Operations that a seat has under way at once.
    var callers: Int
    /// Between two operations of one caller, in nanoseconds.
    var thinking: ClosedRange<UInt64>
    /// In a hundred operations.
    var reads: UInt64
    /// Some of them ask the standby.
    var standbyReads = true
    /// Bytes of a ticket's text, at most.
    var text: UInt64
    var segmentSize: Int
    var spares: Int
    /// In bytes of log.
    var retention: Int
    /// So many commits to a checkpoint, about.
    var checkpointEvery: UInt64
    var timings = Timings()
    var nearlyLevel: UInt64 = 64
    /// Of the nodes, which speaks the version of the protocol before this one.
    var oldVersion: NodeName?
    /// How long things go wrong, in nanoseconds.
    var chaos: UInt64

    init(_ random: inout SeededRandom) {
        seats = Int(random.within(2...5))
        callers = Int(random.within(1...4))
        thinking = random.chance(30) ? 1_000_000...50_000_000 : 200_000_000...1_500_000_000
        reads = random.pick([10, 30, 60])
        text = random.chance(15) ? 40_000 : 400
        segmentSize = random.pick([16 << 10, 32 << 10, 64 << 10])
        spares = Int(random.below(3))
        retention = random.chance(40) ? Int(random.within(2...6)) * segmentSize : 64 << 20
        checkpointEvery = random.pick([3, 20, 100])
        if random.chance(50) { nearlyLevel = random.within(0...4) }
        if random.chance(20) { oldVersion = random.chance(50) ? .a : .b }
        // Shorter than in life, so that healing does not wait for it.
        timings.flapWindow = 3_000
        timings.raiseFloor = random.chance(50) ? 500 : 60_000
        chaos = random.within(8...25) * 1_000_000_000
        if random.chance(25) {
            network = Delay(usual: 50_000...5_000_000, rare: 50_000_000...900_000_000, perMille: 10)
        }
        if random.chance(25) {
            disk = Delay(usual: 1_000_000...30_000_000, rare: 100_000_000...900_000_000, perMille: 10)
        }
        if random.chance(25) { witness.usual = 1_000_000...50_000_000 }
    }

    /// Nothing takes longer than usual. Nor does anybody ask the standby: where that is the one that is lost, all
    /// callers may wait for it, and say nothing of the primary.
    mutating func calm() {
        standbyReads = false
        network = Delay(usual: 50_000...400_000, rare: 0...0, perMille: 0)
        (disk.perMille, database.perMille, witness.perMille) = (0, 0, 0)
        disk.usual = 60_000...5_000_000
        witness.usual = 200_000...3_000_000
        thinking = 100_000_000...400_000_000
    }
}

extension SeededRandom {
    mutating func draw(_ delay: Profile.Delay) -> UInt64 {
        within(below(1000) < delay.perMille ? delay.rare : delay.usual)
    }
}
