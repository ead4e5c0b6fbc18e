import Foundation
import Testing

/// Plays each file of `Traces` and compares what follows with what the file says.
struct TraceTests {
    static let names =
        ((try? FileManager.default.contentsOfDirectory(
            atPath: Golden.folder.appending(path: "Traces").path)) ?? []).filter { $0.hasSuffix(".trace") }.sorted()

    @Test("every scenario goes as its trace says", arguments: names)
    func goes(name: String) throws {
        let path = "Traces/\(name)"
        try Golden.compare(try Trace(Golden.text(of: path)).played().text, with: path)
    }

    @Test("there are traces, and each is short enough to be read")
    func short() throws {
        #expect(Self.names.count >= 12)
        for name in Self.names {
            let lines = try Golden.text(of: "Traces/\(name)").split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 80, "\(name)")
        }
    }
}
