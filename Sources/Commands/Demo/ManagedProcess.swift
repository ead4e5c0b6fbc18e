import Foundation

/// One process of a throw-away pair: started, killed, stopped and woken by its id, and never left behind.
final class ManagedProcess {
    let name: String
    private let program: URL
    private let arguments: [String]
    private let environment: [String: String]
    private let log: URL
    private var process: ChildProcess?
    /// Held open as long as the process may live: when this program ends, however it does, the pipe closes, and the
    /// process ends with it.
    private var lifeline: Pipe?

    /// This very program.
    static let ownProgram = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()

    /// - Parameter environment: beside what this process has.
    init(
        _ name: String, _ program: URL = ownProgram, _ arguments: [String], environment: [String: String] = [:],
        log: URL
    ) {
        self.name = name
        self.program = program
        self.environment = environment
        self.arguments = arguments
        self.log = log
    }

    deinit { kill() }

    var isRunning: Bool { process?.isRunning ?? false }
    var id: Int32? { isRunning ? process?.id : nil }

    func start() throws {
        if !FileManager.default.fileExists(atPath: log.path) {
            _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        }
        let output = try FileHandle(forWritingTo: log)
        try output.seekToEnd()
        defer { try? output.close() }
        let pipe = Pipe()
        process = try ChildProcess(
            program.path, arguments + ["--end-with-parent"], environment: environment,
            input: pipe.fileHandleForReading.fileDescriptor, output: output.fileDescriptor,
            errors: output.fileDescriptor)
        try pipe.fileHandleForReading.close()
        lifeline = pipe
    }

    /// SIGKILL: no goodbye to anyone. Returns once the process is gone.
    func kill() {
        process?.signal(SIGKILL)
        process?.wait()
    }

    /// SIGSTOP: it holds its connections and says nothing, like a machine that hangs.
    func freeze() { process?.signal(SIGSTOP) }
    func wake() { process?.signal(SIGCONT) }

    /// SIGTERM, and waits for the orderly end.
    func stop() {
        process?.signal(SIGTERM)
        process?.wait()
    }

    /// The exit code, once it has ended by itself.
    func waitForExit() -> Int32? { process?.wait() }

    /// The last lines of its log, for when something went wrong.
    func lastWords(_ count: Int = 12) -> String {
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(count).joined(separator: "\n")
    }
}
