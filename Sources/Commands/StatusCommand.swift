import ArgumentParser
import Daemon
import Foundation
import Replication
import Wire

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Says who leads, how far both nodes are, and whether a failover is possible now.",
        discussion: "Exit code 0: a failover is possible. 1: it isn't, and the reason is printed. 69: nobody answers.")

    @Option(name: .shortAndLong, help: "Where the nodes are (YAML).")
    var config: String
    @Flag(help: "Print one JSON object.")
    var json = false
    @Flag(help: "Go on, a line each second, until interrupted.")
    var watch = false

    func run() async throws {
        let view = try PairView(config)
        while true {
            let sight = await view.look()
            print(json ? sight.json : watch ? sight.line : sight.table)
            fflush(nil)
            guard watch else {
                let reachable = NodeName.allCases.contains { sight.nodes[$0].value != nil }
                throw ArgumentParser.ExitCode(sight.isPaired ? 0 : reachable ? 1 : 69)
            }
            try await Task.sleep(for: .seconds(1))
        }
    }
}

extension PairView.Sight {
    /// One sentence: the first thing that an operator wants to know.
    var verdict: String {
        guard let primary, let status = primaryStatus else { return "NOBODY LEADS: " + reasons }
        if status.forced {
            return "node \(primary) leads BY FORCE until node \(primary.other) has joined it; "
                + "what only that one holds is lost"
        }
        guard status.failoverPossible else {
            return "node \(primary) leads; no failover possible: \(status.failoverReason)"
        }
        return "node \(primary) leads; a failover is possible"
    }

    private var reasons: String {
        NodeName.allCases.map { name in
            switch nodes[name] {
            case .success(let status) where status.unformatted: "node \(name) waits for `twinline init`"
            case .success(let status) where status.hasReseeding:
                "node \(name) is being reseeded: \(status.reseeding.doing)"
            case .success(let status): "node \(name) answers (\(status.roleName), epoch \(status.standing.epoch))"
            case .failure(let error): "node \(name): \(error.text)"
            }
        }.joined(separator: "; ")
    }

    var line: String {
        let time = Date().formatted(.iso8601.time(includingFractionalSeconds: false))
        let lag = primaryStatus.map { "committed \($0.committed), standby's disk \($0.peerSynced)" } ?? ""
        return "\(time)  \(verdict)  \(lag)"
    }

    var table: String {
        var rows = [["", "node a", "node b"]]
        func row(_ name: String, _ value: (Twinline_Seat_V1_Status) -> String) {
            rows.append(
                [name]
                    + NodeName.allCases.map { node in
                        nodes[node].value.map { $0.isNode ? value($0) : "–" } ?? "–"
                    })
        }
        rows.append(["role"] + NodeName.allCases.map { nodes[$0].value?.roleName ?? "–" })
        if NodeName.allCases.contains(where: { nodes[$0].value?.hasReseeding == true }) {
            rows.append(
                ["copy"]
                    + NodeName.allCases.map { name in
                        nodes[name].value.map { $0.hasReseeding ? $0.reseeding.share : "" } ?? "–"
                    })
        }
        row("epoch") { "\($0.standing.epoch)" }
        row("register") { "\($0.mode), version \($0.registerVersion)" }
        row("log from") { "\($0.logFirst)" }
        row("appended") { "\($0.appended)" }
        row("synced") { "\($0.synced)" }
        row("committed") { "\($0.committed)" }
        row("applied") { "\($0.applied)" }
        row("digest") { $0.digest.isEmpty ? "moving" : String($0.digest.prefix(16)) + "…" }
        row("database") { $0.databaseStuck ? "STUCK" : "works" }
        row("disk") { $0.diskFull ? "FULL" : "has room" }
        row("other node") { $0.peerConnected ? "connected" : "away" }
        row("witness") { $0.witnessConnected ? "connected" : $0.foreignWitnessID.isEmpty ? "away" : "another one" }
        row("seats") { "\($0.seats)" }
        row("slowest heartbeat") { $0.slowestHeartbeatUs.asMilliseconds }
        row("slowest confirmation") { $0.slowestConfirmationUs.asMilliseconds }
        row("certificate") { $0.certificateLeft }
        row("up") { "\($0.uptimeMs / 1000) s" }
        let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
        }
        return ([verdict, ""] + lines + warnings).joined(separator: "\n")
    }

    private var warnings: [String] {
        let found = NodeName.allCases.compactMap { name -> String? in
            guard let status = nodes[name].value, status.hasCertificateDaysLeft else { return nil }
            return expiryWarning(daysLeft: status.certificateDaysLeft).map { "node \(name)'s certificate \($0)" }
        }
        let copies = NodeName.allCases.compactMap { name -> String? in
            guard let status = nodes[name].value, status.hasReseeding else { return nil }
            return "node \(name) is being reseeded: \(status.reseeding.doing)"
        }
        return found.isEmpty && copies.isEmpty ? [] : [""] + copies + found
    }

    var json: String {
        var object: [String: Any] = [
            "primary": primary?.rawValue as Any? ?? NSNull(), "failover_possible": isPaired, "verdict": verdict,
        ]
        for name in NodeName.allCases {
            switch nodes[name] {
            case .success(let status): object["node_\(name)"] = status.object
            case .failure(let error): object["node_\(name)"] = ["error": error.text]
            }
        }
        return jsonLine(object)
    }
}

extension Twinline_Seat_V1_Status {
    var roleName: String {
        switch standing.role {
        case .primary: "primary"
        case .standby: "standby"
        case .starting, .unspecified, .UNRECOGNIZED: unformatted ? "empty" : hasReseeding ? "reseeding" : "starting"
        }
    }

    /// Not one that waits for its data, which says nothing of itself yet.
    fileprivate var isNode: Bool { !unformatted && !hasReseeding }

    fileprivate var certificateLeft: String {
        switch certificateDaysLeft {
        case _ where !hasCertificateDaysLeft: "–"
        case ..<0: "expired"
        case 1: "1 day left"
        case let days: "\(days) days left"
        }
    }

    fileprivate var object: [String: Any] {
        [
            "reseeding": hasReseeding ? reseeding.object : NSNull(),
            "pair": pair, "role": roleName, "epoch": standing.epoch, "mode": mode, "register_version": registerVersion,
            "log_first": logFirst, "appended": appended, "synced": synced, "committed": committed, "applied": applied,
            "digest": digest, "disk_full": diskFull, "database_stuck": databaseStuck, "forced": forced,
            "peer_connected": peerConnected, "peer_synced": peerSynced, "peer_applied": peerApplied,
            "peer_silent_ms": peerSilentMs, "witness_connected": witnessConnected,
            "witness_id": (try? RandomID(witnessID, field: "witness_id")).map { "\($0)" } ?? "",
            "failover_possible": failoverPossible, "failover_reason": failoverReason, "seats": seats,
            "slowest_heartbeat_us": slowestHeartbeatUs, "slowest_confirmation_us": slowestConfirmationUs,
            "version": version, "uptime_ms": uptimeMs,
            "certificate_days_left": hasCertificateDaysLeft ? certificateDaysLeft : NSNull(),
        ]
    }
}

extension Twinline_Seat_V1_Reseeding {
    /// As in "42 % of 310 MiB".
    var share: String {
        total == 0 ? "0 %" : "\(UInt64(Double(received) / Double(total) * 100)) % of \(total >> 20) MiB"
    }

    fileprivate var object: [String: Any] { ["received": received, "total": total, "doing": doing] }
}

extension UInt64 {
    /// Of microseconds.
    fileprivate var asMilliseconds: String { String(format: "%.1f ms", Double(self) / 1000) }
}

/// Keys in order, on one line.
func jsonLine(_ object: [String: Any]) -> String {
    guard
        let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    else { return "{}" }
    return String(decoding: data, as: UTF8.self)
}
