import Foundation
import TestSupport
import Testing

@testable import Daemon

/// A process of its own, and what signals do to it.
@Suite struct SignalTests {
    @Test("SIGHUP has certificates reread and does not end the process; SIGTERM does, orderly")
    func hangUp() async throws {
        let pair = try LivePair()
        defer { withExtendedLifetime(pair) {} }
        let configuration = """
            listen: 127.0.0.1:\(pair.ports[2])
            data: \(pair.path("witness"))
            certificate: \(pair.tls("witness").certificate)
            key: \(pair.tls("witness").key)
            authority: \(pair.tls("witness").authority)

            """
        try configuration.write(toFile: pair.path("witness.yaml"), atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = Self.twinline
        process.arguments = ["witness", "--config", pair.path("witness.yaml"), "--end-with-parent"]
        // Its end closes with this process, and the witness then ends too.
        process.standardInput = Pipe()
        let said = pair.path("said")
        try "".write(toFile: said, atomically: false, encoding: .utf8)
        process.standardError = FileHandle(forWritingAtPath: said)
        try process.run()
        try await wait(for: "listening", in: said, of: process)
        kill(process.processIdentifier, SIGHUP)
        try await wait(for: "reread certificate", in: said, of: process)
        #expect(process.isRunning)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    }

    private func wait(for text: String, in file: String, of process: Process) async throws {
        try await eventually {
            try #require(process.isRunning)
            return try String(contentsOfFile: file, encoding: .utf8).contains(text)
        }
    }

    /// Beside the tests' own program.
    private static var twinline: URL {
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "twinline")
    }
}
