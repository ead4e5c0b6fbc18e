import ArgumentParser
import Daemon
import DurableLog
import Foundation
import Replication
import Store
import Tickets

struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Looks at a node's log of entries.", subcommands: [Show.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows entries in words: who did what, and which rows that changed.",
            discussion: """
                It only reads, also while the node runs. An unfinished entry at the end is where the log ends; damage \
                is named with file and offset, what can be read is shown, and the exit code is 1.

                An entry holds all that was committed together: with --ticket or --table only what belongs to it is \
                shown. Texts are shortened on a terminal; --json has them whole.
                """)

        @Option(name: .shortAndLong, help: "The node's configuration (YAML).")
        var config: String?
        @Argument(help: "Instead of a configuration: the log's directory, or a node's data directory.")
        var directory: String?
        @Option(help: "From this entry on.")
        var from: UInt64?
        @Option(help: "Up to this entry.")
        var to: UInt64?
        @Option(help: "The last so many. Default: 20, or all if the entries are chosen in another way.")
        var last: Int?
        @Option(help: "Only what happened to this ticket.")
        var ticket: TicketID?
        @Option(help: "Only changes of this table.")
        var table: String?
        @Flag(help: "Print JSON, an entry on a line.")
        var json = false
        @Flag(help: "Hide what people have said: texts, notes, callers.")
        var noText = false
        @Flag(help: "One line for each thing that happened, without the rows.")
        var brief = false

        func validate() throws {
            guard (config == nil) != (directory == nil) else {
                throw ValidationError("pass either --config FILE or a directory")
            }
            if let last, last < 1 { throw ValidationError("--last must be 1 or more") }
            if let from, let to, from > to { throw ValidationError("--from \(from) is above --to \(to)") }
        }

        func run() async throws {
            var place = directory ?? ""
            if let config { place = try configured(NodeConfiguration.init(path:), config).settings.data }
            let chosen = from != nil || to != nil || ticket != nil || table != nil
            let onTerminal = isatty(STDOUT_FILENO) == 1
            let words = ChangeWords(hidesText: noText, limit: onTerminal && !json ? 60 : nil)
            let troubles: [String]
            do throws(LogError) {
                let view = try LogView(of: ReadOnlyDirectory(path: try LogPlace.find(place)))
                let search = LogSearch(
                    view: view, from: LSN(from ?? 0), to: LSN(to ?? .max), last: last ?? (chosen ? nil : 20),
                    filter: EntryFilter(ticket: ticket, table: table), showsProgress: !onTerminal)
                let text = EntryText(words, brief: brief), lines = EntryJSON(words: words)
                try search.run { print(json ? lines.line($0) : text.page($0)) }
                troubles = search.troubles
            } catch { throw Failure("\(error)") }
            fflush(nil)
            for trouble in troubles { FileHandle.standardError.write(Data("twinline: \(trouble)\n".utf8)) }
            if !troubles.isEmpty { throw ArgumentParser.ExitCode(1) }
        }
    }
}

/// Where in a node's data directory the log is.
enum LogPlace {
    /// - Parameter path: of the log's own directory, or of a data directory. Of several copies in one, the newest: it
    ///   gets its log when it is whole.
    static func find(_ path: String) throws(LogError) -> String {
        let copies = (try? ReadOnlyDirectory(path: path).names()) ?? []
        let newest = copies.compactMap { $0.hasPrefix("copy-") ? UInt64($0.dropFirst(5)) : nil }.sorted(by: >)
        for candidate in [path, path + "/log"] + newest.map({ "\(path)/copy-\($0)/log" }) {
            guard let names = try? ReadOnlyDirectory(path: candidate).names() else { continue }
            if names.contains(where: { $0.hasSuffix(".segment") }) { return candidate }
        }
        throw .missing(path: path + "/log")
    }
}
