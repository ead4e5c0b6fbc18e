import ArgumentParser
import Daemon
import Foundation
import NIOCore
import NIOPosix

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Makes a new pair of two empty nodes and a witness. Once for a pair.",
        discussion: """
            The three must be running, and the certificate must be an ops one. It makes the pair's id, formats both \
            nodes' data directories and installs the first register. It refuses if any of the three holds data.
            """)

    @Option(name: .shortAndLong, help: "Where nodes and witness are (YAML); Deploy/ has a documented example.")
    var config: String

    func run() async throws {
        let pair = try configured(PairConfiguration.init(path:), config)
        guard let witness = pair.witness else {
            throw Failure("\(config): witness: is missing; write where it listens")
        }
        let client = try OpsClient(tls: pair.tls, group: MultiThreadedEventLoopGroup.singleton)
        let formatter = PairFormatter(client, a: pair.nodes.a[0], b: pair.nodes.b[0], witness: witness)
        let id = try await formatter.format { print($0) }
        print("the pair \(id) is made; it pairs itself within a second: twinline status --config \(config)")
    }
}

struct SwitchoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switchover", abstract: "Moves the lead to the other node, as for maintenance.",
        discussion: "Seats notice nothing. Refused, with the reason, while the standby could not take over.")

    @Option(name: .shortAndLong, help: "Where nodes and witness are (YAML).")
    var config: String
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let view = try PairView(config)
        let before = await view.look()
        guard let primary = before.primary else {
            throw Failure("neither node leads, so there is nothing to switch; see twinline status")
        }
        let answer = try await view.switchOver(from: primary)
        guard answer.accepted else { throw Failure("node \(primary) refused: \(answer.text)") }
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if let now = await view.look().primary, now != primary {
                print(json ? "{\"from\":\"\(primary)\",\"to\":\"\(now)\"}" : "node \(now) leads now")
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Failure("asked node \(primary) to hand over, but it still leads; see twinline status")
    }
}

/// Ends the command with a sentence and exit code 1.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
