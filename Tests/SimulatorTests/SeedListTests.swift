import Foundation
import Testing

@testable import SimulatorCommand

/// The seeds that have found something.
struct SeedListTests {
    @Test("each line of the list begins with a seed that no other line has, and says what it found")
    func list() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Found.txt").path
        let seeds = try TwinlineSim.seeds(of: path)
        #expect(seeds.count > 20)
        #expect(Set(seeds).count == seeds.count)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").drop { $0.hasPrefix("#") }
        #expect(lines.allSatisfy { $0.split(separator: " ").count > 2 })
    }

    @Test("a line that begins with no seed is named, and nothing is run")
    func unreadable() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "seeds-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("# why\n\n12  because\nseed 13  because\n".utf8).write(to: URL(filePath: path))
        #expect { try TwinlineSim.seeds(of: path) } throws: { "\($0)".contains("seed 13  because") }
    }
}
