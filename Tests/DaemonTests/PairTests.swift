import Foundation
import Logging
import NIOCore
import Replication
import Testing
import Transport
import Wire

@testable import Daemon

@Suite(.serialized) struct PairTests {
    /// A whole pair in this process: the real daemons over loopback TLS.
    private struct Running {
        let pair: LivePair
        let client: OpsClient
        let stoppers: [String: Stopper]

        func status(_ name: NodeName) async throws -> Twinline_Seat_V1_Status {
            try await client.status(of: name, at: try pair.address(name == .a ? 0 : 1))
        }

        /// Asks until it holds; the test's time limit ends it otherwise.
        func wait(for name: NodeName, _ holds: (Twinline_Seat_V1_Status) -> Bool) async throws {
            while true {
                if let status = try? await status(name), holds(status) { return }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    private func withPair(_ test: (Running) async throws -> Void) async throws {
        let pair = try LivePair()
        var log = Logger(label: "pair") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .critical
        let stoppers = ["witness": Stopper(), "a": Stopper(), "b": Stopper()]
        let witness = WitnessDaemon(
            WitnessSettings(listen: [try pair.address(2)], data: pair.path("witness"), tls: pair.tls("witness")),
            log: log)
        let nodes = try NodeName.allCases.map { (name: $0, daemon: NodeDaemon(try pair.node($0), log: log)) }
        let running = Running(
            pair: pair, client: try OpsClient(tls: pair.tls("ops/admin"), group: pair.group), stoppers: stoppers)
        try await withThrowingTaskGroup(of: ExitCode.self) { group in
            group.addTask { await witness.run(stoppers["witness"]!) }
            for node in nodes { group.addTask { await node.daemon.run(stoppers[node.name.rawValue]!) } }
            do { try await test(running) } catch { Issue.record(error) }
            for stopper in stoppers.values { stopper.request() }
            for try await code in group { #expect(code == .orderly) }
        }
    }

    private func format(_ running: Running) async throws {
        let pair = running.pair
        let formatter = PairFormatter(
            running.client, a: try pair.address(0), b: try pair.address(1), witness: try pair.address(2))
        while true {
            do {
                _ = try await formatter.format { _ in }
                return
            } catch is TransportError {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    @Test("a new pair is formatted, pairs itself, and a stopped primary hands over first", .timeLimit(.minutes(2)))
    func formsAndHandsOver() async throws {
        try await withPair { running in
            try await format(running)
            try await running.wait(for: .a) { $0.failoverPossible }
            running.stoppers["a"]?.request()
            try await running.wait(for: .b) { $0.standing.role == .primary }
            let epoch = try await running.status(.b).standing.epoch
            #expect(epoch == 4)
        }
    }

    @Test("a pair is formatted once, and refuses to be again", .timeLimit(.minutes(2)))
    func formatsOnce() async throws {
        try await withPair { running in
            try await format(running)
            try await running.wait(for: .a) { $0.failoverPossible }
            let pair = running.pair
            let formatter = PairFormatter(
                running.client, a: try pair.address(0), b: try pair.address(1), witness: try pair.address(2))
            await #expect(throws: FormatError.self) { _ = try await formatter.format { _ in } }
        }
    }
}
