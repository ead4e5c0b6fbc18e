import Foundation
import Logging
import Synchronization

/// A log whose lines can be waited for.
final class RecordedLog: Sendable {
    private let lines = Mutex<[String]>([])

    var logger: Logger { Logger(label: "recorded") { _ in Handler(log: self) } }

    func lines(with text: String) -> [String] { lines.withLock { $0.filter { $0.contains(text) } } }

    /// A line that holds all of these. The test's time limit ends it otherwise.
    func wait(for texts: [String]) async throws {
        while !lines.withLock({ $0.contains { line in texts.allSatisfy(line.contains) } }) {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// The test's time limit ends it otherwise.
    func wait(for text: String) async throws {
        while lines(with: text).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    }

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
