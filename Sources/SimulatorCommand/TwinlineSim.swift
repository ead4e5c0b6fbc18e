import ArgumentParser
// For `stdout`, which only one thread here writes to.
@preconcurrency import Glibc
import Simulator

/// The command line of `twinline-sim`.
package struct TwinlineSim: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "twinline-sim",
        abstract: "Runs the pair, its witness and its seats on simulated time, network and disks.",
        discussion: """
            Each seed makes a world of its own, in which things go wrong: processes are killed, power fails, links are \
            cut, disks forget. Then it heals. The code is the shipped one. After every step it is checked that nothing \
            answered is lost, nothing is done twice, two nodes never both answer, and what is shown is true.

            The same seed gives the same run.

            Exit code: 0 without a violation, 1 with one, 64 for a wrong command line.
            """)

    @Option(help: "Run this one, and print its events, a line each.")
    var seed: UInt64?

    @Option(help: ArgumentHelp("With --seed: leave out these faults of its plan, by number.", valueName: "n,n,…"))
    var without: String = ""

    @Flag(help: "With --seed: leave out faults while it still fails, and print the command that is left.")
    var shrink = false

    @Option(
        help: ArgumentHelp(
            "With --seed: write what the seats asked for and were told, for `twinline check`.", valueName: "file"))
    var history: String?

    @Flag(
        help: """
            Judge only what seats were told, as anybody outside could: to see what a history shows by itself of a \
            fault that was planted.
            """)
    var answersOnly = false

    @Flag(help: "With --seed: print the verdict only.")
    var quiet = false

    @Option(help: ArgumentHelp("Run so many seeds.", valueName: "count"))
    var seeds: UInt64?

    @Option(help: "The first of them.")
    var from: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "Run the seeds that this file's lines begin with; lines that begin with \"#\" are passed over.",
            valueName: "file"))
    var list: String?

    @Flag(help: "With --seeds, --minutes or --list: end at the first violation.")
    var untilFound = false

    @Option(help: "Run seeds for so long, from a random one unless --from is given.")
    var minutes: Double?

    @Option(
        help: ArgumentHelp(
            "Fail unless each change of role in this table was taken, and each rule.", valueName: "Transitions.txt"))
    var transitions: String?

    @Option(
        help: ArgumentHelp(
            "With --transitions: changes that no run can take, a line each; \"# \" begins a reason, \"~ \" a rare one.",
            valueName: "file"))
    var except: String?

    @Flag(help: "Print the sum as JSON.")
    var json = false

    package func validate() throws {
        let ways = [seed != nil, seeds != nil, minutes != nil, list != nil].filter { $0 }.count
        guard ways == 1 else { throw ValidationError("give one of --seed, --seeds, --minutes and --list; see --help") }
        guard seed != nil || !shrink && without.isEmpty && !quiet && history == nil else {
            throw ValidationError("--shrink, --quiet, --without and --history belong to --seed")
        }
        guard !shrink || history == nil && !answersOnly else {
            throw ValidationError("--shrink goes with neither --history nor --answers-only")
        }
        guard leftOut != nil else { throw ValidationError("--without wants numbers with commas between them") }
    }

    private var leftOut: Set<Int>? {
        let numbers = without.split(separator: ",").map { Int($0) }
        return numbers.contains(nil) ? nil : Set(numbers.compactMap { $0 })
    }

    package init() {}

    package func run() throws {
        if let seed {
            shrink ? try shrink(seed) : try one(seed)
        } else {
            try many()
        }
    }

    private func one(_ seed: UInt64) throws {
        // What was printed of a run that crashes leads to the cause.
        setvbuf(stdout, nil, _IOLBF, 0)
        let quiet = quiet || json
        let verdict = simulate(
            seed: seed, without: leftOut ?? [], answersOnly: answersOnly, tracer: quiet ? nil : { print($0) })
        if let history { try keep(verdict.history, at: history) }
        var totals = Totals()
        totals.add(verdict)
        print(json ? totals.json(realSeconds: 0) : verdict.violation.map { "violation: \($0)" } ?? totals.line)
        guard verdict.violation != nil else { return }
        if !json { print(command(seed, without: without)) }
        throw ExitCode(1)
    }

    private func command(_ seed: UInt64, without: String) -> String {
        "twinline-sim --seed \(seed)" + (without.isEmpty ? "" : " --without \(without)")
    }

    private func shrink(_ seed: UInt64) throws {
        guard var shrinking = Shrinking(seed: seed) else { return print("seed \(seed) has no violation") }
        let (without, remain) = shrinking.run { left in
            Self.progress("\(left) faults are left ")
        }
        Self.progress("")
        print("\(remain) faults remain, after \(shrinking.runs) runs:")
        print(command(seed, without: without.map(String.init).joined(separator: ",")))
        throw ExitCode(1)
    }

    /// On a terminal only, over what it said before.
    static func progress(_ text: String) {
        guard isatty(2) == 1 else { return }
        let bytes = Array("\r\u{1b}[K\(text)".utf8)
        _ = write(2, bytes, bytes.count)
    }
}
