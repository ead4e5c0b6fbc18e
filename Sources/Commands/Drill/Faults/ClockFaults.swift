import Daemon
import Replication

/// No safety hangs on a clock: whatever these do, nobody but the clock's owner may notice.
extension DrillFault {
    static let clocks: [DrillFault] =
        PairPart.allCases.flatMap { part in
            [
                jump("clock-forward-\(part)", part, .seconds(7200), "two hours forward"),
                jump("clock-back-\(part)", part, .seconds(-7200), "two hours back"),
            ]
        }
        + [PairPart.primary, .standby].flatMap { part in
            [
                rate("clock-fast-\(part)", part, 250_000, "a quarter too fast"),
                rate("clock-slow-\(part)", part, -250_000, "a quarter too slow"),
            ]
        }

    private static let wrongFor = Duration.seconds(2)

    private static func jump(_ name: String, _ part: PairPart, _ offset: Duration, _ words: String) -> DrillFault {
        DrillFault(name, "the time of day of the \(part) jumps \(words), and later back") { scene in
            let clock = try scene.clock(part.host(scene))
            scene.mark("\(try scene.process(part.host(scene)).name)'s time of day jumps \(words)")
            try clock.set(offset)
            try await scene.hold(Self.wrongFor)
            try await scene.waitForAnswers()
            try clock.set(.zero)
            scene.mend("it is right again")
        }
    }

    private static func rate(_ name: String, _ part: PairPart, _ millionths: Int64, _ words: String) -> DrillFault {
        DrillFault(name, "the clocks of the \(part) that never jump run \(words)") { scene in
            let clock = try scene.clock(part.host(scene))
            scene.mark("\(try scene.process(part.host(scene)).name)'s monotonic clocks run \(words)")
            try clock.run(fasterBy: millionths)
            try await scene.hold(Self.wrongFor)
            try await scene.waitForAnswers()
            try clock.run(fasterBy: 0)
            scene.mend("they run right")
        }
    }
}
