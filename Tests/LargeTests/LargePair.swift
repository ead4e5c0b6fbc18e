import Daemon
import Foundation
import Histogram
import NIOCore
import NIOPosix
import Replication
import Seat
import Synchronization
import Testing
import Tickets

@testable import Commands

/// A throw-away pair that is filled with as many tickets as wished, by its seats.
final class LargePair {
    private let seats: Int
    let pair: ThrowawayPair
    let file: TicketFile
    private let texts: TextVariations
    private let directory: URL
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private(set) var clients: [SeatClient] = []

    init(settings: String, seats: Int = 16) throws {
        self.seats = seats
        let random = UInt64.random(in: 0 ... .max)
        // Where there is room for some gigabytes: not on a temporary file system in memory.
        let root = ProcessInfo.processInfo.environment["TWINLINE_LARGE_DIRECTORY"].map { URL(filePath: $0) }
        directory = (root ?? FileManager.default.temporaryDirectory).appending(path: "twinline-\(random)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let sample = try #require(InstalledFile.find("sample"))
        file = try TicketFile(
            try #require(
                FileManager.default.contentsOfDirectory(at: sample, includingPropertiesForKeys: nil)
                    .first { $0.pathExtension == "csv" }))
        texts = TextVariations(file, seed: 1)
        pair = try ThrowawayPair(
            in: directory.appending(path: "pair"), seats: 1, program: Self.program, settings: settings)
    }

    deinit {
        for process in pair.nodes.values + [pair.witness] { process.kill() }
        try? FileManager.default.removeItem(at: directory)
    }

    /// Beside the tests in the build folder.
    private static var program: URL {
        let runner = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        let bundle = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return [bundle, runner.deletingLastPathComponent()].map { $0.appending(path: "twinline") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? ManagedProcess.ownProgram
    }

    func start() async throws {
        try await pair.start()
        clients = try (0..<seats).map { _ in try SeatClient(configuration: pair.seat(1), on: group) }
    }

    func close() async {
        for client in clients { await client.close() }
        try? await group.shutdownGracefully()
    }

    /// Opens tickets, many at once at each seat, and says how it goes.
    func fill(_ range: Range<Int>, of count: Int) async throws {
        let filling = Filling(range, of: count, texts)
        let start = ContinuousClock.now
        for client in clients {
            for _ in 0..<32 { filling.next(client) }
        }
        var said = ContinuousClock.now
        while filling.left > 0 {
            try await Task.sleep(for: .milliseconds(50))
            if ContinuousClock.now - said > .seconds(15) {
                said = .now
                print("\(filling.left) of \(range.count) left after \(ContinuousClock.now - start)")
            }
        }
        #expect(filling.errors.isEmpty, "\(filling.errors.prefix(3))")
    }

    /// Opens in a closed loop, one request at a time at each seat.
    func measureOpens(for time: Duration) async throws -> LoadGenerator.Result {
        let result = try await LoadGenerator(clients, .open).run(warmUp: .seconds(1), measure: time)
        #expect(result.errors == 0, "\(result.firstError ?? "")")
        return result
    }

    /// The most memory that a node's process has held, in MiB.
    func peakMemory(of node: NodeName) throws -> Double {
        let id = try #require(pair.nodes[node]?.id)
        let text = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return (Double(line.split(separator: " ").dropLast().last ?? "") ?? 0) / 1024
    }

    /// Of a node's database, in bytes.
    func databaseSize(of node: NodeName) -> Int {
        let data = pair.directory.appending(path: "data-\(node)")
        let files = FileManager.default.enumerator(at: data, includingPropertiesForKeys: [.fileSizeKey])
        return (files?.allObjects as? [URL] ?? []).filter { $0.lastPathComponent == "tickets.sqlite" }
            .reduce(0) { $0 + ((try? $1.resourceValues(forKeys: [.fileSizeKey]).fileSize) ?? 0) }
    }
}

/// Tickets that are still to be opened.
private final class Filling: Sendable {
    private struct State { var next: Int; var end: Int; var underWay = 0; var errors: [String] = [] }
    private let state: Mutex<State>
    private let count: Int
    private let texts: TextVariations

    init(_ range: Range<Int>, of count: Int, _ texts: TextVariations) {
        state = Mutex(State(next: range.lowerBound, end: range.upperBound))
        (self.count, self.texts) = (count, texts)
    }

    var left: Int { state.withLock { $0.underWay + $0.end - $0.next } }
    var errors: [String] { state.withLock { $0.errors } }

    /// The next one at this seat, and when that is answered the one after it.
    func next(_ client: SeatClient) {
        let taken: Int? = state.withLock { state in
            guard state.next < state.end else { return nil }
            state.next += 1
            state.underWay += 1
            return state.next - 1
        }
        guard let number = taken else { return }
        client.perform(.open(texts.ticket(number, of: count)), within: .seconds(60)) { result in
            self.state.withLock { state in
                state.underWay -= 1
                if case .failure(let error) = result { state.errors.append("\(error)") }
            }
            self.next(client)
        }
    }
}

extension LoadGenerator.Result {
    func milliseconds(_ percentile: Double) -> Double { Double(latencies.valueAtPercentile(percentile)) / 1_000_000 }
    var words: String {
        String(
            format: "%.0f/s, p50 %.3f ms, p99 %.3f ms, max %.1f ms", Double(requests) / seconds, milliseconds(50),
            milliseconds(99), Double(latencies.max) / 1_000_000)
    }
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
