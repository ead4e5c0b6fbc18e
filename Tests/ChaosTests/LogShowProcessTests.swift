import Foundation
import Replication
import Testing

@testable import Commands

/// `twinline log show` beside a running node.
extension ProcessTests.LogShowProcessTests {
    @Test(
        "the log of a node that writes is shown; a damaged one ends with code 1 and its place")
    func beside() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let directory = faulty.pair.directory
        let configuration = directory.appending(path: "node-a.yaml").path
        // An entry holds one of each seat at most.
        try await faulty.waitForWrites(100)
        var before = 0
        for _ in 0..<3 {
            let (code, printed, _) = try await faulty.command(
                "log", "show", "--json", "--last", "5", "--config", configuration)
            #expect(code == 0)
            let numbers = try printed.split(separator: "\n").map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return try #require(object?["lsn"] as? Int)
            }
            let last = try #require(numbers.last)
            #expect(numbers == ((last - 4)...last).map { $0 })
            #expect(last > before)
            before = last
            try await faulty.waitForWrites(100)
        }
        try await faulty.audit()
        faulty.pair.nodes[.a]?.kill()
        let data = directory.appending(path: "data-a").path
        let segment = URL(filePath: try LogPlace.find(data) + "/0000000000000001.segment")
        let file = try FileHandle(forUpdating: segment)
        try file.seek(toOffset: 4096)
        try file.write(contentsOf: [1])
        try file.close()
        let (code, printed, said) = try await faulty.command(
            "log", "show", "--from", "1", data)
        #expect(code == 1 && printed.isEmpty)
        #expect(said.contains("\(segment.path), offset 4096: no valid entry 1"), "\(said)")
    }
}
