import ArgumentParser
import Foundation
import Seat
import Tickets

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Takes in a file of tickets, as the hotline did.",
        discussion: """
            The format is that of Boston's 311 data (.csv or .csv.gz); Deploy/sample has a day of it. A row that can't \
            be read is named with its line and column on standard error, and the others go on.

            Exit codes beside those of `twinline seat`: 1 also if any step was refused; 65 all else is done, but the \
            file, or some of its rows, can't be read; 66 the file can't be opened.
            """)

    @OptionGroup var seat: SeatOptions
    @Option(help: "Times real time, or max.") var speed = "max"
    @Argument(help: "The file.") var file: String

    func validate() throws {
        guard speed == "max" || (Double(speed) ?? 0) > 0 else {
            throw ValidationError("--speed must be max or a number above 0, not '\(speed)'")
        }
    }

    func run() async throws {
        let tickets = try TicketFile.read(URL(filePath: file))
        let refused = try await seat.with { client in
            try await replay(tickets, client)
        }
        print(
            seat.json
                ? jsonLine([
                    "rows": tickets.rows.count + tickets.unreadable.count, "unreadable": tickets.unreadable.count,
                    "tickets": tickets.rows.count, "steps": tickets.steps.count, "refused": refused,
                ])
                : "\(tickets.count)\n\(tickets.rows.count) tickets, \(tickets.steps.count) steps done, "
                    + "\(refused) refused")
        if refused > 0 { throw ArgumentParser.ExitCode(1) }
        try tickets.requireAllRead()
    }

    private func replay(_ tickets: TicketFile, _ client: SeatClient) async throws -> Int {
        var progress = ProgressLine(total: tickets.steps.count, unit: "steps")
        let factor = Double(speed)
        let began = ContinuousClock.now
        var refused = 0
        for (index, step) in tickets.steps.enumerated() {
            if let factor, let first = tickets.steps.first {
                let due = began + .milliseconds(Int64(Double(step.at - first.at) / factor))
                try await Task.sleep(until: due)
            }
            do throws(SeatError) {
                _ = try await client.perform(step.command(tickets.rows[step.row]), within: seat.time)
            } catch {
                guard case .refused(let refusal) = error else { throw error }
                refused += 1
                FileHandle.standardError.write(Data("step \(index + 1): \(refusal)\n".utf8))
            }
            let rest = (tickets.steps.last?.at ?? step.at) - step.at
            progress.advance(to: index + 1, atLeast: factor.map { Double(rest) / 1000 / $0 } ?? 0)
        }
        progress.finish()
        return refused
    }
}

/// Rate and time left: redrawn in place on a terminal, a plain line every ten seconds elsewhere; nothing in the first
/// two.
struct ProgressLine {
    var total: Int
    private let unit: String
    private let began = ContinuousClock.now
    private var shown = ContinuousClock.now
    private let onTerminal = isatty(STDERR_FILENO) == 1
    private var drawn = false

    init(total: Int, unit: String) { (self.total, self.unit) = (total, unit) }

    /// - Parameter left: seconds that the rest takes, however fast it could go.
    /// - Parameter note: before the figures.
    mutating func advance(to done: Int, atLeast left: Double = 0, saying note: String = "") {
        let now = ContinuousClock.now
        guard now - began > .seconds(2), now - shown > (onTerminal ? .milliseconds(200) : .seconds(10)) else { return }
        shown = now
        let rate = Double(done) / ((now - began) / .seconds(1))
        let left = max(left, Double(total - done) / max(rate, 0.001))
        let text = note + String(format: "%d of %d %@, %.0f/s, %.0f s left", done, total, unit, rate, left)
        FileHandle.standardError.write(Data((onTerminal ? "\r\u{1B}[K" + text : text + "\n").utf8))
        drawn = true
    }

    func finish() { if drawn, onTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) } }
}
