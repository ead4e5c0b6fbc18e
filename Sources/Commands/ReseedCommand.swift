import ArgumentParser
import Daemon
import Foundation
import NIOCore
import NIOPosix
import Replication

struct ReseedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reseed", abstract: "Gives up a node's data for a copy of the other node's.",
        discussion: """
            For a node whose data is damaged, differs from the other's, or was wiped, while the other node leads. Run \
            it on the node's own machine, while that node is stopped, as the user that the node runs as. It only marks \
            the data directory; `twinline node`, started next, fetches the copy, under load and resumably, and takes \
            part again when it is whole. The old data stays until then. A node whose data is merely too old does all \
            this by itself.

            Exit codes: 0 marked, 69 the other node does not lead or does not answer, 75 this node is still running, \
            78 configuration.
            """)

    @Option(name: .shortAndLong, help: "The node's own configuration (YAML).")
    var config: String

    func run() async throws {
        let settings = try configured(NodeConfiguration.init(path:), config).settings
        do {
            try await expectLeader(settings)
            try DataDirectory(path: settings.data).markForReseeding(pair: settings.pair, node: settings.node)
        } catch let error as DataError {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ArgumentParser.ExitCode(error.exitCode.rawValue)
        }
        print("node \(settings.node) will be reseeded; start it now: twinline node --config \(config)")
    }

    /// Without a leader there is nobody to fetch from, and this node's data may be the best that there is.
    private func expectLeader(_ settings: NodeSettings) async throws {
        let other = settings.node.other
        let client = try OpsClient(tls: settings.tls, group: MultiThreadedEventLoopGroup.singleton)
        var reason = "it has no address in the configuration"
        for address in settings.peer {
            do {
                let status = try await client.status(of: other, at: address)
                if status.standing.role == .primary { return }
                reason = "it answers, but does not lead"
            } catch { reason = "\(error)" }
        }
        let text = "node \(other) does not lead, so nobody has a copy to give: \(reason). Nothing was changed\n"
        FileHandle.standardError.write(Data(text.utf8))
        throw ArgumentParser.ExitCode(Daemon.ExitCode.unavailable.rawValue)
    }
}
