import ArgumentParser
import Daemon
import Foundation

struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Runs a node of a pair until it is stopped.",
        discussion: """
            On an empty data directory it waits for `twinline init`. If the other node's log no longer reaches back to \
            this one's data, it fetches a copy of that node's database first, as after `twinline reseed`.

            SIGTERM stops it orderly: a primary hands over.

            Exit codes: 0 stopped, 65 the data is damaged or a part of it missing, 69 something needed is unavailable, \
            74 a sync failed, 75 it will pass, as a full disk or a directory that another process still uses; 76 the \
            copies differ or a promise was broken, 78 the configuration, or data that is not for it: of another pair \
            or node, of a newer program, not writable. 65, 74, 76 and 78 are for a person.
            """)

    @Option(name: .shortAndLong, help: "The node's configuration (YAML); Deploy/ has documented examples.")
    var config: String
    @OptionGroup var life: ProcessLife

    func run() async throws {
        let stopper = life.stopper()
        let node = try configured(NodeConfiguration.init(path:), config)
        let log = life.logger("twinline.node.\(node.settings.node)", configured: node.logLevel)
        // Where SQLite sorts what is large (sqlite.org/tempfiles.html): on the disk whose room the node watches.
        setenv("SQLITE_TMPDIR", node.settings.data, 0)
        let code = await NodeDaemon(node.settings, log: log).run(stopper)
        _exit(code.rawValue)
    }
}
