import Daemon
import Foundation
import Replication
import Seat
import TestSupport
import Testing

@testable import Commands

/// A pair of real processes whose disks go wrong on demand, under the load of some seats.
final class FaultyPair {
    let pair: ThrowawayPair
    let crew: Crew
    private let clients: [SeatClient]
    private let directory: URL
    private var work: Task<Void, Never>?
    /// Those that are small, and are there for as long as the pair.
    private(set) var disks: [NodeName: SmallDisk] = [:]

    /// - Parameters:
    ///   - settings: further lines of the nodes' configurations.
    ///   - timings: further lines below their `timings`.
    init(seats: Int = 6, settings: String = "segment-size: 8MiB", timings: [String] = []) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "twinline-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let library = directory.appending(path: "disk-faults.so")
        try Self.compile(to: library)
        let folder = directory
        let root = directory.appending(path: "pair")
        pair = try ThrowawayPair(
            in: root, seats: seats, program: Self.program, settings: settings + Self.timings(timings)
        ) { name, _ in
            ["LD_PRELOAD": library.path, "TWINLINE_DISK_FAULTS": folder.appending(path: "faults-\(name)").path]
        }
        clients = try (1...seats).map { [pair] in try SeatClient(configuration: pair.seat($0)) }
        let sample = try #require(InstalledFile.find("sample"))
        let file = try #require(
            FileManager.default.contentsOfDirectory(at: sample, includingPropertiesForKeys: nil)
                .first { $0.pathExtension == "csv" })
        // Slowly, as people do: seats that ask without a pause would take the processor from the nodes.
        crew = Crew(
            clients, try TicketFile(file), span: .seconds(1), seed: 1, pause: .milliseconds(5), patience: Pace.inVain)
    }

    deinit {
        work?.cancel()
        for process in pair.nodes.values + [pair.witness] { process.kill() }
        // What is mounted can't be removed.
        disks = [:]
        try? FileManager.default.removeItem(at: directory)
    }

    /// The nodes' own, stretched: a pair whose nodes are late is not one that has lost a node.
    private static func timings(_ more: [String]) -> String {
        let usual = Timings()
        let values = [
            ("heartbeat", usual.heartbeat), ("suspect-after", usual.suspectAfter), ("stall-after", usual.stallAfter),
            ("handover-after", usual.handoverAfter), ("witness-answer", usual.witnessAnswer),
        ]
        let lines = values.map { "\($0): \($1 * UInt64(Pace.factor))ms" } + more
        return "\ntimings:" + lines.map { "\n  " + $0 }.joined()
    }

    /// Beside the tests in the build folder.
    static var program: URL {
        let runner = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        let bundle = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return [bundle, runner.deletingLastPathComponent()].map { $0.appending(path: "twinline") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? ManagedProcess.ownProgram
    }

    private static func compile(to library: URL) throws {
        let source = try #require(InstalledFile.find("drill/DiskFaults.c"))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["clang", "-shared", "-fPIC", "-O1", "-o", library.path, source.path, "-ldl"]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "the preloaded library can't be built")
    }

    /// Starts the pair and the seats' work.
    func start() async throws {
        try await pair.start()
        let crew = crew
        work = Task { await crew.work() }
        try await waitForWrites(100)
    }

    /// Gives each node a disk of its own, before its start.
    func mountSmallDisks(megabytes: Int) throws {
        for node in NodeName.allCases {
            disks[node] = try SmallDisk(at: pair.directory.appending(path: "data-\(node)").path, megabytes: megabytes)
        }
    }

    /// What is wrong with a node's disk from now on; nothing, without any.
    func disk(of node: NodeName, _ faults: String...) throws {
        try faults.joined(separator: "\n").write(
            to: directory.appending(path: "faults-\(node)"), atomically: true, encoding: .utf8)
    }

    /// So many more answers.
    func waitForWrites(_ count: Int) async throws {
        let before = crew.ledger.counts.writes
        try await wait { _ in crew.ledger.counts.writes >= before + count }
    }

    /// Until it holds. Throws, with what is the case instead, where that does not come.
    @discardableResult
    func wait(until condition: (PairView.Sight) -> Bool) async throws -> PairView.Sight {
        let limit = ContinuousClock.now + Pace.inVain
        while true {
            let sight = await pair.view.look()
            if condition(sight) { return sight }
            guard ContinuousClock.now < limit else { throw Failure("waited in vain: \(sight.verdict)") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// What all nodes that run say, as soon as one look has the answers of all of them: a busy one may be late for one.
    func sight() async throws -> PairView.Sight {
        try await wait { sight in
            NodeName.allCases.allSatisfy { sight.nodes[$0].value != nil || pair.nodes[$0]?.isRunning != true }
        }
    }

    /// Who leads, as soon as one look tells.
    func primary() async throws -> NodeName {
        var found: NodeName?
        try await wait {
            found = $0.primary
            return found != nil
        }
        guard let found else { throw Failure("nobody leads") }
        return found
    }

    /// How long its log is.
    func appended(by node: NodeName) async throws -> UInt64 {
        var found: UInt64?
        try await wait {
            found = $0.nodes[node].value?.appended
            return found != nil
        }
        guard let found else { throw Failure("node \(node) says nothing") }
        return found
    }

    /// Runs the command line as an operator would, and gives all that it says.
    func twinline(_ arguments: String...) async throws -> (code: Int32, said: String) {
        let config = pair.directory.appending(path: "seat.yaml").path
        let (code, printed, said) = try await command(arguments + ["--config", config])
        return (code, printed + said)
    }

    /// Has a node lead by force, once it knows that it is alone.
    func promote(_ node: NodeName) async throws {
        try await wait { sight in
            sight.nodes[node].value.map { !$0.peerConnected && !$0.witnessConnected } ?? false
        }
        let order = try await twinline("force-promote", "--node", "\(node)", "--confirm", "demo")
        // In one line: that is what is seen of a failure in a long run.
        let words = (order.said + (pair.nodes[node]?.lastWords() ?? "")).replacingOccurrences(of: "\n", with: " | ")
        try #require(order.code == 0, "force-promote ended with \(order.code): \(words)")
    }

    /// Runs any command to its end, on a thread of its own: the seats go on meanwhile.
    func command(_ arguments: String...) async throws -> (code: Int32, printed: String, said: String) {
        try await command(arguments)
    }

    private func command(_ arguments: [String]) async throws -> (code: Int32, printed: String, said: String) {
        let said = directory.appending(path: "said")
        try Data().write(to: said)
        return try await withCheckedThrowingContinuation { result in
            Thread {
                result.resume(with: Result { try Self.run(arguments, said) })
            }.start()
        }
    }

    private static func run(
        _ arguments: [String], _ said: URL
    ) throws -> (code: Int32, printed: String, said: String) {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: said)
        try process.run()
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: printed, as: UTF8.self),
            try String(contentsOf: said, encoding: .utf8)
        )
    }

    /// Ends the work, and holds what the seats were told against what the pair has.
    func audit() async throws {
        crew.stop()
        await work?.value
        let audit = try await Audit.of(crew.ledger, by: clients[0])
        #expect(audit.lost == 0 && audit.duplicated == 0, "\(audit.examples)")
        #expect(crew.ledger.errors.isEmpty, "\(crew.ledger.errors.prefix(3))")
        for client in clients { await client.close() }
    }
}
