import ArgumentParser
import Daemon
import Foundation
import Histories

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Checks histories of demos, benchmarks, simulations and drills.",
        discussion: """
            A history is what clients asked for and were told, with the times: JSON lines, as `twinline demo`, \
            `twinline bench`, `twinline drill` and `twinline-sim` write them with --history. Checked is what Twinline \
            promises: each ticket is linearizable, nothing answered is lost, nothing is there twice or without having \
            been asked for; of other tables, a bank's total is the same in every snapshot, and lists that transactions \
            append to are strictly serializable; a standby's answer is no older than it says. What is wrong is named, \
            with as few operations as contradict each other and the lines that they are in.

            Exit codes: 0 right; 1 wrong; 65 not a history, with the line; 66 the file can't be opened; 75 no \
            violation was found, but not everything could be decided.
            """)

    @Option(help: "Milliseconds that a standby's answer may be old that does not say how old it is. Default: any.")
    var standbyAge: Double?
    @Option(help: "How many violations are told in full.")
    var shown = 10
    @Flag(help: "Print one JSON object a file.")
    var json = false
    @Argument(help: "Histories (JSON lines, also packed as .gz).")
    var files: [String]

    func validate() throws {
        guard !files.isEmpty else { throw ValidationError("name at least one file") }
        guard (0...9e12).contains(standbyAge ?? 0) else { throw ValidationError("--standby-age must be from 0") }
        guard shown >= 0 else { throw ValidationError("--shown must be from 0") }
    }

    func run() throws {
        var worst: Int32 = 0
        for file in files {
            let code = try check(file)
            // A file that is wrong outranks one that can't be read, and that one what is undecided.
            if worst == 0 || code == 1 || worst == 75 { worst = code == 0 ? worst : code }
        }
        if worst != 0 { throw ArgumentParser.ExitCode(worst) }
    }

    private func check(_ file: String) throws -> Int32 {
        let history: History
        do {
            history = try HistoryFormat.read(try InputFile.bytes(of: URL(filePath: file)))
            guard !history.operations.isEmpty else { throw InputError.malformed(path: file, reason: "is empty") }
        } catch let error as InputError {
            return refused(file, "\(error)", error.exitCode)
        } catch {
            return refused(file, "\(file), \(error)", Daemon.ExitCode.badInput)
        }
        var checker = HistoryChecker()
        checker.standbyAgeLimit = standbyAge.map { Int64($0 * 1_000_000) }
        var report = HistoryReport(history, checker)
        report.shown = shown
        if json {
            print(jsonLine(report.object.merging(["file": file]) { _, new in new }))
        } else {
            print("\(file): \(report.sentence)\n\n\(report.text)")
        }
        fflush(nil)
        return !report.verdict.violations.isEmpty ? 1 : report.verdict.isGood ? 0 : Daemon.ExitCode.temporary.rawValue
    }

    private func refused(_ file: String, _ reason: String, _ code: Daemon.ExitCode) -> Int32 {
        if json { print(jsonLine(["file": file, "verdict": "unreadable", "text": reason])) }
        FileHandle.standardError.write(Data("twinline: \(reason)\n".utf8))
        return code.rawValue
    }
}
