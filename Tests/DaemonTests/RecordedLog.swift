import Foundation
import Logging
import Synchronization

/// A log whose lines can be waited for.
final class RecordedLog: Sendable {
    private let lines = Mutex<[String]>([])

    var logger: Logger { Logger(label: "recorded") { _ in Handler(log: self) } }

    func lines(with text: String) -> [String] { lines.withLock { $0.filter { $0.contains(text) } } }

    struct LineMissing: Error {
        let texts: [String]
    }

    /// A line that holds all of these; throws after a minute without.
    func wait(for texts: [String]) async throws {
        let limit = ContinuousClock.now + .seconds(60)
        while !lines.withLock({ $0.contains { line in texts.allSatisfy(line.contains) } }) {
            guard ContinuousClock.now < limit else { throw LineMissing(texts: texts) }
            try await Task.sleep(for: .milliseconds(5))
        }
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
