import ArgumentParser
import Daemon
import Foundation
import Seat

struct DrillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: "Breaks a pair's parts one after another under load, and counts what it costs.",
        discussion: """
            Makes hosts of its own on this machine (network namespaces with two routes between them, disks in memory), \
            a pair on them and seats at work, and then kills, freezes, cuts, fills and wipes. For each fault it says \
            how long no seat was answered, how many requests failed, what was lost or done twice, and how long it took \
            from the mending until a failover was possible again. In the end the history of all that was asked and \
            told is checked, as `twinline check` does. Needs root, or a kernel that lets everybody make namespaces; \
            nothing of it is left behind, however it ends.

            With --config it is a game day on a pair of your own: switchover, and stop-standby, stop-primary and \
            stop-witness with the commands that you give. Seats look for tickets that there are not, each such answer \
            is confirmed by both nodes; with --tickets they also write some, of the category Drill, which stay. It \
            does not start while no failover would be possible, and ends at the first thing that does not go as it \
            should.

            Exit codes: 0 nothing lost, nothing twice, no error but where a fault takes two parts at once, paired \
            again after each, a right history; 1 not so, or not started; 64 the command line is wrong, 69 this machine \
            can't make such hosts, 78 the configuration.
            """)

    @Flag(help: "Say which faults there are.")
    var list = false
    @Option(help: "Which faults, with commas between them. Default: those with a * in --list.")
    var faults: String?
    @Flag(help: "All faults.")
    var all = false
    @Option(help: "How many seats work.")
    var seats = 12
    @Option(help: "For what is left to chance: what seats do next, and what is left of writes that were not synced.")
    var seed: UInt64 = 1
    @Flag(help: "End with one JSON object on a line.")
    var json = false
    @Option(help: "Write the report as a page with pictures to this file.")
    var html: String?
    @Option(help: "Write the history of what was asked and told to this file (JSON lines, for `twinline check`).")
    var history: String?
    @Option(help: "Keep configurations and logs in this directory.")
    var keep: String?
    @Option(name: .shortAndLong, help: "A game day on this pair: where its nodes are (YAML), with an ops certificate.")
    var config: String?
    @Option(help: "Game day: the same with a seat's certificate, for the seats. Default: --config's.")
    var seatConfig: String?
    @Option(help: "Game day: PLACE=COMMAND that stops or kills a part; PLACE is a, b or witness. Once for each.")
    var stop: [String] = []
    @Option(help: "Game day: PLACE=COMMAND that starts it again.")
    var start: [String] = []
    @Flag(help: "Game day: the seats also write tickets, so that lost ones can be told.")
    var tickets = false
    @Flag(help: "Only say what would be done, and whether it could start now.")
    var dryRun = false
    @Flag(
        help: """
            To see that the drill sees: before a power cut disks say that they have synced what they have not, so that \
            acknowledged tickets are lost.
            """)
    var lyingDisks = false
    @Flag(help: .hidden)
    var inside = false

    func validate() throws {
        guard (1...1000).contains(seats) else { throw ValidationError("--seats must be 1 to 1000") }
        guard faults == nil || !all else { throw ValidationError("--faults and --all exclude each other") }
        if config == nil {
            guard seatConfig == nil, stop.isEmpty, start.isEmpty, !tickets else {
                throw ValidationError("--seat-config, --stop, --start and --tickets belong to a --config")
            }
            _ = try chosen()
        } else {
            guard !all, keep == nil else {
                throw ValidationError("--all and --keep are for a pair of the drill's own: leave --config away")
            }
            _ = try plan()
        }
    }

    fileprivate func plan() throws -> GameDayPlan {
        do { return try GameDayPlan(faults: faults, stop: stop, start: start) } catch {
            throw ValidationError("\(error)")
        }
    }

    private func chosen() throws -> [DrillFault] {
        do {
            if let faults { return try DrillFault.named(faults) }
            return all ? DrillFault.all : DrillFault.usual
        } catch { throw ValidationError("\(error)") }
    }

    func run() async throws {
        if list { return print(DrillFault.list) }
        signal(SIGPIPE, SIG_IGN)
        if let config { return try await gameDay(config) }
        if dryRun {
            print("On hosts and a pair of the drill's own, with \(seats) seats at work:")
            return print(try chosen().map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))
        }
        guard inside else {
            do { try await OwnNamespaces.check() } catch {
                FileHandle.standardError.write(Data("\(error)\n".utf8))
                throw ArgumentParser.ExitCode(Daemon.ExitCode.unavailable.rawValue)
            }
            let code = try await OwnNamespaces.run(Array(CommandLine.arguments.dropFirst()) + ["--inside"])
            throw ArgumentParser.ExitCode(code)
        }
        ProcessLife.endWithStandardInput()
        let report = await Drill(
            faults: try chosen(), seats: seats, seed: seed, history: try record(),
            directory: keep.map { URL(filePath: $0) }, disksLie: lyingDisks
        ).run()
        try await DrillOutput(json: json, html: html).write(report)
    }
}

extension DrillCommand {
    private func record() throws -> RunHistory {
        try RunHistory(clients: DrillClients(seats: seats).count, file: history)
    }

    private func gameDay(_ config: String) async throws {
        let plan = try plan()
        let pair = try configured(PairConfiguration.init(path:), config)
        let view = try PairView(routes: pair.nodes, tls: pair.tls)
        let sight = await view.look()
        if dryRun, let primary = sight.primary {
            print("With node \(primary) leading, this would be done to the pair \(pair.pair):")
            print(plan.steps(primary: primary).joined(separator: "\n"))
        }
        if let refusal = GameDay.refusal(sight) { throw Failure(refusal) }
        if dryRun { return print("\nIt could start now: \(sight.verdict). Nothing was done.") }
        let seat = try configured(PairConfiguration.init(path:), seatConfig ?? config).seat
        let timeline = Timeline()
        let drilled = DrilledPair(
            view: view,
            seats: try DrillSeats(
                Array(repeating: seat, count: seats), seed: .random(in: 0 ... .max), history: try record(),
                writes: tickets),
            probe: try SeatClient(configuration: seat), say: timeline.say)
        let report = await GameDay(plan: plan, pair: drilled, name: pair.pair).run(timeline)
        await drilled.seats.close()
        await drilled.probe.close()
        try await DrillOutput(json: json, html: html).write(report)
    }
}

/// How a drill's report leaves.
struct DrillOutput {
    var json: Bool
    var html: String?

    /// - Throws: exit code 1 unless all was good.
    func write(_ report: DrillReport) async throws {
        print("\n" + report.text)
        if let html {
            try report.page.write(toFile: html, atomically: true, encoding: .utf8)
            print("the page with pictures: \(html)")
        }
        if json { print(report.json) }
        fflush(nil)
        guard report.isGood else { throw ArgumentParser.ExitCode(1) }
    }
}
