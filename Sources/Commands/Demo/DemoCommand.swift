import ArgumentParser
import Daemon
import Foundation
import Histories
import NIOCore
import NIOPosix
import Replication
import Seat
import Tickets

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Shows a pair at work on this machine while its parts are killed.",
        discussion: """
            Starts a witness and two nodes as processes of their own, with throw-away certificates, lets seats take in \
            a real day of Boston's 311 hotline, and meanwhile kills, freezes and switches. In the end every \
            acknowledged request is looked up, and the history of all that was asked and told is checked, as `twinline \
            check` does. Beside the seats a program of the platform keeps a bank and lists in tables of its own, for \
            that check.

            Exit codes: 0 nothing lost, nothing twice, no error at any seat, equal copies, paired again, a right \
            history; 1 not so; 65 all that, but the input, or some of its rows, can't be read; each is named on \
            standard error with line and column; 66 the input can't be opened.
            """)

    @Option(help: "How many seats work.")
    var seats = 12
    @Option(help: "Tickets to take in: a .csv or .csv.gz in the format of Boston's 311. Default: the sample.")
    var input: String?
    @Option(help: "Times real time, or max: as fast as the faults' pacing allows.")
    var speed = "max"
    @Option(help: "For what the seats leave to chance: which tickets they add notes to.")
    var seed: UInt64 = 1
    @Option(help: "Keep configurations, data and logs in this directory.")
    var keep: String?
    @Option(help: "Write the history of what was asked and told to this file (JSON lines, for `twinline check`).")
    var history: String?
    @Option(help: "Comma-separated: kill-primary, kill-standby, freeze-primary, kill-witness, switchover.")
    var faults: String?
    @Flag(help: "End with one JSON object on a line.")
    var json = false

    func validate() throws {
        guard (1...200).contains(seats) else { throw ValidationError("--seats must be 1 to 200") }
        guard speed == "max" || (Double(speed) ?? 0) > 0 else {
            throw ValidationError("--speed must be max or a number above 0, not '\(speed)'")
        }
        _ = try script()
    }

    private func script() throws -> [Fault] {
        guard let faults else { return Fault.script }
        return try faults.split(separator: ",").map { name in
            guard let fault = Fault(name: String(name)) else {
                throw ValidationError(
                    "'\(name)' is no fault; write "
                        + Fault.allCases.map { $0.rawValue.replacingOccurrences(of: " ", with: "-") }.joined(
                            separator: ", "))
            }
            return fault
        }
    }

    private func file() throws -> URL {
        if let input { return URL(filePath: input) }
        if let folder = InstalledFile.find("sample"),
            let found = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .filter({ $0.pathExtension == "csv" }).min(by: { $0.path < $1.path })
        {
            return found
        }
        throw Failure("there is no Deploy/sample here; pass tickets with --input FILE (.csv or .csv.gz)")
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let script = try script()
        let timeline = Timeline()
        let tickets = try TicketFile.read(try file())
        timeline.say("\(tickets.name): \(tickets.count), \(tickets.rows.count) tickets, \(tickets.steps.count) steps")
        let pair = try ThrowawayPair(in: keep.map { URL(filePath: $0) }, seats: seats)
        try await pair.start()
        timeline.say("witness and both nodes are up and paired (\(pair.directory.path))")

        let clients = try (1...seats).map { try SeatClient(configuration: pair.seat($0)) }
        let service = try SeatClient(configuration: pair.service)
        // The seats, the bookkeepers, and who looks everything up.
        let record = try RunHistory(clients: seats + Bookkeepers.clients + 1, file: history)
        let crew = Crew(clients, tickets, span: span(of: tickets, script), seed: seed, history: record)
        let bookkeepers = Bookkeepers(service, crew.ledger, history: record, first: seats, seed: seed)
        try await bookkeepers.prepare()
        async let work: Void = crew.work()
        async let books: Void = bookkeepers.work()
        timeline.say("\(seats) seats are working")

        var results: [FaultResult] = []
        var trouble: String?
        do {
            let faults = FaultScript(pair: pair, ledger: crew.ledger, say: timeline.say)
            for fault in script { results.append(try await faults.run(fault)) }
        } catch { trouble = "\(error)" }
        crew.stop()
        bookkeepers.stop()
        _ = await (work, books)
        timeline.say("the seats are done; looking up all that was acknowledged")
        var report = await self.report(pair, crew, clients, results, trouble, record)
        (report.rows, report.unreadable) = (tickets.rows.count + tickets.unreadable.count, tickets.unreadable.count)
        for client in clients + [service] { await client.close() }
        print(report.text)
        if json { print(report.json) }
        fflush(nil)
        guard report.isGood else { throw ArgumentParser.ExitCode(1) }
        try tickets.requireAllRead()
    }

    /// The file's steps are spread over the faults, as far as one can tell how long these take; a slower speed is the
    /// user's wish.
    private func span(of tickets: TicketFile, _ script: [Fault]) -> Duration {
        let faults = Duration.milliseconds(1800) * max(script.count, 1)
        guard let factor = Double(speed), let first = tickets.steps.first?.at, let last = tickets.steps.last?.at else {
            return faults
        }
        return .milliseconds(Int64(Double(last - first) / factor))
    }

    private func report(
        _ pair: ThrowawayPair, _ crew: Crew, _ clients: [SeatClient], _ results: [FaultResult], _ trouble: String?,
        _ record: RunHistory
    ) async -> DemoReport {
        var report = DemoReport(results: results, counts: crew.ledger.counts, errors: crew.ledger.errors)
        report.trouble = trouble
        do {
            let auditor = (record: record, client: seats + Bookkeepers.clients)
            report.audit = try await Audit.of(crew.ledger, by: clients[0], in: auditor)
            report.history = HistoryReport(try record.finish())
        } catch {
            report.trouble = report.trouble ?? "the audit failed: \(error)"
        }
        // The standby hears of the last commits with the next heartbeat.
        let deadline = ContinuousClock.now + .seconds(10)
        repeat {
            let sight = await pair.view.look()
            report.paired = sight.isPaired
            if let a = sight.nodes.a.value, let b = sight.nodes.b.value {
                report.digestsEqual = a.applied == b.applied && a.digest == b.digest && !a.digest.isEmpty
                report.digest = a.digest
            }
        } while !(report.paired && report.digestsEqual) && ContinuousClock.now < deadline
        return report
    }
}

/// What happened, each line with the time since the beginning.
final class Timeline: Sendable {
    private let began = ContinuousClock.now

    func say(_ text: String) {
        let time = (ContinuousClock.now - began) / .seconds(1)
        print(String(format: "%7.3f s  ", time) + text)
        fflush(nil)
    }
}

struct DemoReport {
    var results: [FaultResult]
    var counts: (writes: Int, reads: Int, errors: Int)
    var errors: [String]
    var audit: Audit?
    var history: HistoryReport?
    var trouble: String?
    var paired = false
    var digestsEqual = false
    var digest = ""
    var rows = 0
    var unreadable = 0

    init(results: [FaultResult], counts: (writes: Int, reads: Int, errors: Int), errors: [String]) {
        self.results = results
        self.counts = counts
        self.errors = errors
    }

    var isGood: Bool {
        trouble == nil && counts.errors == 0 && audit.map { $0.lost == 0 && $0.duplicated == 0 } == true && paired
            && digestsEqual && history?.verdict.isGood == true
    }

    var text: String {
        var lines = ["", "fault             blackout ms   back to paired ms"]
        for result in results {
            let rejoin = result.rejoin.map { String(format: "%.0f", $0) } ?? "–"
            lines.append(
                result.fault.rawValue.padding(toLength: 16, withPad: " ", startingAt: 0)
                    + String(format: "  %11.1f", result.blackout) + "   " + rejoin)
        }
        lines.append("")
        lines.append("input        \(rows) rows, \(unreadable) unreadable")
        lines.append("acknowledged \(counts.writes), shown \(counts.reads)")
        lines.append("lost         \(audit.map { "\($0.lost)" } ?? "not known")")
        lines.append("twice        \(audit.map { "\($0.duplicated)" } ?? "not known")")
        lines.append("errors       \(counts.errors)")
        lines.append("copies       \(digestsEqual ? "equal, digest \(digest)" : "NOT EQUAL")")
        lines.append("pair         \(paired ? "paired" : "NOT PAIRED")")
        lines.append("history      \(history?.sentence ?? "not known")")
        if let history, !history.verdict.isGood { lines += ["", history.text, ""] }
        lines += (audit?.examples ?? []).map { "  \($0)" } + errors.prefix(10).map { "  \($0)" }
        if let trouble { lines.append("FAILED: \(trouble)") }
        return lines.joined(separator: "\n")
    }

    var json: String {
        jsonLine([
            "acknowledged": counts.writes, "lost": audit?.lost as Any? ?? NSNull(),
            "duplicated": audit?.duplicated as Any? ?? NSNull(), "errors": counts.errors,
            "operations": history?.operations as Any? ?? NSNull(),
            "violations": history?.verdict.violations.count as Any? ?? NSNull(),
            "undecided": history?.verdict.undecided.count as Any? ?? NSNull(), "digests_equal": digestsEqual,
            "paired": paired, "rows": rows, "unreadable": unreadable,
            "faults": results.map { result in
                [
                    "fault": result.fault.rawValue, "blackout_ms": (result.blackout * 1000).rounded() / 1000,
                    "rejoin_ms": result.rejoin.map { $0.rounded() } as Any? ?? NSNull(),
                ]
            },
        ])
    }
}
