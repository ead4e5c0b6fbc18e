import ArgumentParser
import Daemon
import Foundation
import Synchronization

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Computes both nodes' digests anew from the tables, at one entry, while the pair works on.",
        discussion: """
            The copies are compared at every entry by a digest that is kept in passing; this proves that the tables \
            are what it says. It reads every row on both nodes, with low priority. Meanwhile SQLite's write-ahead log \
            grows with what is written. Interrupting it ends the work on the nodes.

            Exit code 0: equal. 1: different; which node and which tables is printed. 75: it can't be done now, or one \
            node alone could be verified. 69: nobody answers.
            """)

    @Option(name: .shortAndLong, help: "Where the nodes are (YAML), with an ops certificate.")
    var config: String
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let view = try PairView(config)
        let line = Mutex(VerifyProgress())
        let verification = PairVerification(view: view) { progress in line.withLock { $0.show(progress) } }
        do {
            let report = try await verification.run()
            line.withLock { $0.finish() }
            print(json ? report.json : report.text)
            fflush(nil)
            throw ArgumentParser.ExitCode(report.exitCode)
        } catch let error as Unavailable {
            line.withLock { $0.finish() }
            if json { print(jsonLine(["verdict": "unavailable", "text": error.reason])) }
            FileHandle.standardError.write(Data("twinline: \(error.reason)\n".utf8))
            throw ArgumentParser.ExitCode(error.code)
        }
    }
}

/// Begins when the nodes know how many rows there are.
struct VerifyProgress {
    private var line: ProgressLine?

    mutating func show(_ progress: PairVerification.Progress) {
        let total = progress.totals.a + progress.totals.b
        guard total > 0 else { return }
        if line == nil { line = ProgressLine(total: 0, unit: "rows") }
        line?.total = Int(clamping: total)
        func percent(_ rows: UInt64, _ total: UInt64) -> String { total == 0 ? "–" : "\(rows * 100 / total) %" }
        let each =
            "node a \(percent(progress.rows.a, progress.totals.a)), "
            + "node b \(percent(progress.rows.b, progress.totals.b)): "
        line?.advance(to: Int(clamping: progress.rows.a + progress.rows.b), saying: each)
    }

    func finish() { line?.finish() }
}
