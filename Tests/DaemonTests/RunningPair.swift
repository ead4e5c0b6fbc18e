import Foundation
import Logging
import NIOCore
import Replication
import TestSupport
import Testing
import Transport
import Wire

@testable import Daemon

/// A whole pair in this process: the real daemons over loopback TLS.
struct RunningPair {
    let pair: LivePair
    let client: OpsClient
    let stoppers: [String: Stopper]

    static let log: Logger = {
        var log = Logger(label: "pair") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .critical
        return log
    }()

    /// Starts the three, has the test done, stops them, and expects each to end orderly.
    static func with(log: Logger = Self.log, _ test: (RunningPair) async throws -> Void) async throws {
        let pair = try LivePair()
        let stoppers = ["witness": Stopper(), "a": Stopper(), "b": Stopper()]
        let witness = try makeWitness(pair, data: "witness", log: named(log, "witness"))
        let nodes = try NodeName.allCases.map {
            (name: $0, daemon: NodeDaemon(try pair.node($0), log: named(log, $0.rawValue)))
        }
        let running = RunningPair(
            pair: pair, client: try OpsClient(tls: pair.tls("ops/admin"), group: pair.group, patience: .hours(1)),
            stoppers: stoppers)
        try await withThrowingTaskGroup(of: ExitCode.self) { group in
            group.addTask { await witness.run(stoppers["witness"]!) }
            for node in nodes { group.addTask { await node.daemon.run(stoppers[node.name.rawValue]!) } }
            do { try await test(running) } catch { Issue.record(error) }
            for stopper in stoppers.values { stopper.request() }
            for try await code in group { #expect(code == .orderly) }
        }
        withExtendedLifetime(pair) {}
    }

    /// Each line says whose it is.
    private static func named(_ log: Logger, _ name: String) -> Logger {
        var log = log
        log[metadataKey: "whose"] = "\(name)"
        return log
    }

    static func makeWitness(_ pair: LivePair, data: String, log: Logger = Self.log) throws -> WitnessDaemon {
        WitnessDaemon(
            WitnessSettings(listen: [try pair.address(2)], data: pair.path(data), tls: pair.tls("witness")), log: log)
    }

    /// Makes them a pair, as soon as all three listen, and waits until a failover is possible.
    func format() async throws {
        let formatter = try formatter()
        try await eventually {
            do {
                try await formatter.look()
                return true
            } catch is TransportError { return false }
        }
        _ = try await formatter.format { _ in }
        try await wait(for: .a) { $0.failoverPossible }
    }

    func formatter() throws -> PairFormatter {
        PairFormatter(client, a: try pair.address(0), b: try pair.address(1), witness: try pair.address(2))
    }

    func status(_ name: NodeName) async throws -> Twinline_Seat_V1_Status {
        try await client.status(of: name, at: try pair.address(name == .a ? 0 : 1))
    }

    func operate(
        _ operation: Twinline_Seat_V1_Operation, at name: NodeName
    ) async throws -> Twinline_Seat_V1_OperationAnswer {
        try await client.operate(operation, at: name, try pair.address(name == .a ? 0 : 1))
    }

    /// Has the other node lead: asks until it does, since a pair that is not paired just then refuses.
    func switchOver(from name: NodeName, file: String = #fileID, line: Int = #line) async throws {
        var operation = Twinline_Seat_V1_Operation()
        operation.kind = .switchover
        try await eventually(file: file, line: line) {
            if let status = try? await status(name.other), status.standing.role == .primary { return true }
            _ = try await operate(operation, at: name)
            return false
        }
    }

    /// Asks until it holds.
    func wait(
        for name: NodeName, file: String = #fileID, line: Int = #line, _ holds: (Twinline_Seat_V1_Status) -> Bool
    ) async throws {
        try await eventually(file: file, line: line) { (try? await status(name)).map(holds) == true }
    }

    /// Both have applied the same, all that was committed, and say the same digest.
    func waitUntilEqual() async throws {
        try await eventually {
            guard let a = try? await status(.a), let b = try? await status(.b) else { return false }
            return a.applied == b.applied && !a.digest.isEmpty && a.digest == b.digest
                && (a.failoverPossible || b.failoverPossible)
        }
    }
}
