import ArgumentParser
import Daemon
import Foundation
import Histogram
import NIOPosix
import Replication
import Seat

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures a pair under load: each seat one request at a time.",
        discussion: """
            open: a new ticket, its history row and the stored answer, committed on both disks. show: a ticket by id, \
            linearizable. mixed: eight shows to two opens. Latencies in milliseconds, from a seat's call to its \
            answer. The floor of the same run: one sync of that directory's disk, one TLS round trip between two \
            processes.

            Exit code: 1 after an error, or with a history that is wrong.
            """)

    @Flag(help: "Start a throw-away pair on this machine, each part a process of its own.")
    var embedded = false
    @Option(name: .shortAndLong, help: "Use a running pair: where its nodes are (YAML), with a seat's certificate.")
    var config: String?
    @Option(help: "How many seats ask.")
    var seats = 64
    @Option(help: "How long to measure, after two seconds of warming up.")
    var seconds = 10.0
    @Option(name: .customLong("op"), help: "open, show or mixed.")
    var operation = "open"
    @Option(help: "Write the history of what was asked and told to this file (JSON lines), and check it in the end.")
    var history: String?
    @Option(help: "Keep the throw-away pair's files in this directory.")
    var keep: String?
    @Flag(help: "End with one JSON object on a line.")
    var json = false

    func validate() throws {
        guard embedded != (config != nil) else { throw ValidationError("pass either --embedded or --config FILE") }
        guard (1...2000).contains(seats) else { throw ValidationError("--seats must be 1 to 2000") }
        guard seconds > 0 else { throw ValidationError("--seconds must be above 0") }
        guard BenchOperation(rawValue: operation) != nil else {
            throw ValidationError("--op must be open, show or mixed, not '\(operation)'")
        }
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        guard let operation = BenchOperation(rawValue: operation) else { return }
        var pair: ThrowawayPair?
        let configurations: [SeatConfiguration]
        let view: PairView
        if let config {
            let seat = try configured(PairConfiguration.init(path:), config).seat
            configurations = Array(repeating: seat, count: seats)
            view = try PairView(config)
        } else {
            let made = try ThrowawayPair(in: keep.map { URL(filePath: $0) }, seats: 1)
            try await made.start()
            configurations = Array(repeating: made.seat(1), count: seats)
            view = made.view
            pair = made
        }
        // One loop for all seats: the two cores are the nodes' as well.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let clients = try configurations.map { try SeatClient(configuration: $0, on: group) }
        let directory = pair?.directory ?? FileManager.default.temporaryDirectory
        let sync = try Floor.sync(in: directory)
        let roundTrip = try await view.tlsRoundTrip()
        // The last one lists all tickets in the end.
        let record = try history.map { try RunHistory(clients: seats + 1, file: $0) }
        let load = LoadGenerator(clients, operation, history: record)
        let result = try await load.run(warmUp: .seconds(2), measure: .seconds(seconds))
        // A running pair has other tickets, of other people.
        if embedded { try await record?.list(by: seats, clients[0]) }
        for client in clients { await client.close() }
        withExtendedLifetime(pair) {}
        let checked = try record.map { HistoryReport(try $0.finish()) }
        report(result, sync: sync, roundTrip: roundTrip, checked)
        throw ArgumentParser.ExitCode(result.errors == 0 && checked?.verdict.isGood ?? true ? 0 : 1)
    }

    private func report(
        _ result: LoadGenerator.Result, sync: Double, roundTrip: Double, _ checked: HistoryReport?
    ) {
        func milliseconds(_ percentile: Double) -> Double {
            (Double(result.latencies.valueAtPercentile(percentile)) / 1000).rounded() / 1000
        }
        let rate = (Double(result.requests) / result.seconds).rounded()
        let max = (Double(result.latencies.max) / 1000).rounded() / 1000
        if json {
            print(
                jsonLine([
                    "history": checked?.object as Any? ?? NSNull(), "transactions_per_second": rate,
                    "p50_ms": milliseconds(50), "p95_ms": milliseconds(95),
                    "p99_ms": milliseconds(99), "max_ms": max, "errors": result.errors, "op": operation, "seats": seats,
                    "fdatasync_p50_us": (sync * 1000).rounded() / 1000,
                    "tls_round_trip_p50_us": (roundTrip * 1000).rounded() / 1000,
                ]))
        } else {
            print(
                String(
                    format: "%@, %d seats: %.0f/s, p50 %.3f ms, p95 %.3f ms, p99 %.3f ms, max %.3f ms, errors %d",
                    operation, seats, rate, milliseconds(50), milliseconds(95), milliseconds(99), max, result.errors))
            print(String(format: "floor: fdatasync %.1f µs, TLS round trip %.1f µs", sync, roundTrip))
            if let checked {
                print("history: \(checked.sentence)" + (checked.verdict.isGood ? "" : "\n\n\(checked.text)"))
            }
        }
        if let error = result.firstError { print("first error: \(error)") }
        fflush(nil)
    }
}
