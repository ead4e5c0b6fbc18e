import Foundation
import Logging
import Synchronization
import TestSupport

/// A log whose lines can be waited for.
final class RecordedLog: Sendable {
    private let lines = Mutex<[String]>([])

    var logger: Logger { Logger(label: "recorded") { _ in Handler(log: self) } }

    func lines(with text: String) -> [String] { lines.withLock { $0.filter { $0.contains(text) } } }

    struct LineMissing: Error {
        let texts: [String]
    }

    /// A line that holds all of these; throws where none comes.
    func wait(for texts: [String]) async throws {
        do {
            try await eventually { lines.withLock { $0.contains { line in texts.allSatisfy(line.contains) } } }
        } catch is WaitedInVain { throw LineMissing(texts: texts) }
    }

    func wait(for text: String) async throws { try await wait(for: [text]) }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            let details = all.sorted { $0.key < $1.key }.map { " \($0)=\($1)" }.joined()
            log.lines.withLock { $0.append("\(event.level) \(event.message)\(details)") }
        }
    }
}
