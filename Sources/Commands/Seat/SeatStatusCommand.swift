import ArgumentParser
import Foundation
import Seat

struct SeatStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Says how this seat reaches the nodes: each way, and which one is in use.",
        discussion: """
            Exit code 0: a primary is there, and each way works. 1: some way does not, or the outbox holds calls that \
            are not delivered. 69: no primary is there.
            """)

    @OptionGroup var seat: SeatOptions
    @Flag(help: "Go on, every second, until interrupted.") var watch = false

    func run() async throws {
        try await seat.with { client in
            // A way that is there is there within this; the others are what is looked for.
            let end = ContinuousClock.now + min(seat.time, .seconds(2))
            var ways = await client.connections
            while ways.contains(where: { $0.state == .away }), ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(20))
                ways = await client.connections
            }
            while true {
                let waiting = await client.undelivered
                print(seat.json ? json(ways, waiting) : table(ways, waiting))
                fflush(nil)
                guard watch else {
                    if !ways.contains(where: { $0.state == .primary }) { throw ArgumentParser.ExitCode(69) }
                    let isWell = waiting == 0 && ways.allSatisfy { $0.state != .away && !$0.isSuspected }
                    throw ArgumentParser.ExitCode(isWell ? 0 : 1)
                }
                try await Task.sleep(for: .seconds(1))
                ways = await client.connections
            }
        }
    }

    private func table(_ ways: [SeatConnection], _ waiting: Int) -> String {
        var rows = [["node", "route", "address", "state", "delay", "for", "last loss"]]
        for way in ways {
            let loss = way.lastLoss.map { "\(brief($0.ago)) ago: \($0.reason)" } ?? "none"
            rows.append([
                "\(way.link.node)", "\(way.link.route + 1)", way.address,
                "\(way.state)" + (way.isSuspected ? ", silent" : "") + (way.isUsed ? ", in use" : ""),
                way.roundTrip.map { String(format: "%.2f ms", $0.seconds * 1000) } ?? "–", brief(way.age), loss,
            ])
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
        }
        return (lines + (waiting > 0 ? ["", "kept, not yet delivered (\(waiting))"] : [])).joined(separator: "\n")
    }

    private func json(_ ways: [SeatConnection], _ waiting: Int) -> String {
        jsonLine([
            "undelivered": waiting,
            "connections": ways.map { way -> [String: Any] in
                var object: [String: Any] = [
                    "node": "\(way.link.node)", "route": way.link.route + 1, "address": way.address,
                    "state": "\(way.state)", "suspected": way.isSuspected, "in_use": way.isUsed,
                    "age_s": way.age.seconds,
                ]
                if let delay = way.roundTrip { object["delay_ms"] = delay.seconds * 1000 }
                if let loss = way.lastLoss {
                    object["last_loss"] = ["ago_s": loss.ago.seconds, "reason": loss.reason] as [String: Any]
                }
                return object
            },
        ])
    }

    private func brief(_ duration: Duration) -> String {
        let seconds = duration.seconds
        switch seconds {
        case ..<1: return "\(Int(seconds * 1000)) ms"
        case ..<120: return "\(Int(seconds)) s"
        case ..<7200: return "\(Int(seconds / 60)) min"
        default: return "\(Int(seconds / 3600)) h"
        }
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
