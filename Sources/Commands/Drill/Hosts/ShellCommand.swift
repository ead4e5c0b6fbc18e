import Foundation

/// Other programs, run to their end on threads of their own: whoever waits for one holds up nobody else.
struct ShellCommand: Sendable {
    struct Result: Sendable {
        var code: Int32
        var output: String
    }

    var arguments: [String]
    var environment: [String: String] = [:]

    init(_ arguments: [String], environment: [String: String] = [:]) {
        (self.arguments, self.environment) = (arguments, environment)
    }

    /// What it prints on either channel, and its exit code.
    func result() async throws -> Result {
        try await withCheckedThrowingContinuation { waiting in
            Thread { waiting.resume(with: Swift.Result { try runNow() }) }.start()
        }
    }

    /// - Throws: `Failure` with what it said, unless its exit code is 0.
    @discardableResult
    func run() async throws -> String {
        let result = try await result()
        guard result.code == 0 else {
            throw Failure("\(arguments.joined(separator: " ")) failed (\(result.code)): \(result.output)")
        }
        return result.output
    }

    private func runNow() throws -> Result {
        let pipe = Pipe()
        let channel = pipe.fileHandleForWriting.fileDescriptor
        let process = try ChildProcess(
            "/usr/bin/env", arguments, environment: environment, input: FileHandle.nullDevice.fileDescriptor,
            output: channel, errors: channel)
        let said = try pipe.all()
        return Result(
            code: process.wait(),
            output: String(decoding: said, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
