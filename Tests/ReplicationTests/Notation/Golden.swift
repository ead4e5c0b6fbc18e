import Foundation
import Testing

/// Files that a person has reviewed and that a test compares with. `TWINLINE_RECORD=1` rewrites them; what has changed
/// in them then is for the reviewer of the commit.
enum Golden {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    static let records = ProcessInfo.processInfo.environment["TWINLINE_RECORD"] == "1"

    static func text(of path: String) throws -> String {
        try String(contentsOf: folder.appending(path: path), encoding: .utf8)
    }

    /// A failure shows the lines that differ, the reviewed ones as `-`, those of now as `+`.
    static func compare(_ now: String, with path: String) throws {
        if records { return try Data(now.utf8).write(to: folder.appending(path: path), options: .atomic) }
        let reviewed = try text(of: path)
        guard now != reviewed else { return }
        let difference = now.components(separatedBy: "\n").difference(from: reviewed.components(separatedBy: "\n"))
        let lines = difference.map { change in
            switch change {
            case .remove(let line, let text, _): (line, "- \(text)")
            case .insert(let line, let text, _): (line, "+ \(text)")
            }
        }
        let shown = lines.sorted { ($0.0, $1.1) < ($1.0, $0.1) }.map(\.1)
        Issue.record("\(path) differs; TWINLINE_RECORD=1 rewrites it.\n\(shown.joined(separator: "\n"))")
    }
}
