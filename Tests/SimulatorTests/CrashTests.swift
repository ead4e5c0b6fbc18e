import Foundation
import Testing

/// A trap in a run is no verdict: nobody would know which seed it was.
@Suite struct CrashTests {
    @Test("a run that crashes leaves its seed, and the command that repeats it")
    func leavesSeed() throws {
        let process = Process()
        process.executableURL = Self.program
        process.arguments = ["--minutes", "1", "--from", "77"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        // Once that is said it is at work.
        var said = ""
        while !said.contains("\n") {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty)
            said += String(decoding: more, as: UTF8.self)
        }
        kill(process.processIdentifier, SIGILL)
        said += String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        let found = try #require(
            said.wholeMatch(
                of: /seeds from 77\nseed (\d+): CRASH, without a verdict\n    twinline-sim --seed (\d+)\n/))
        #expect(found.1 == found.2)
    }

    /// Beside the tests' own program.
    private static var program: URL {
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "twinline-sim")
    }
}
