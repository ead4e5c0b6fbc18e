import Foundation
import Testing

@testable import Commands

/// Programs that a demo or a drill starts.
@Suite struct ChildProcessTests {
    private func said(_ script: String, environment: [String: String] = [:]) throws -> (code: Int32, text: String) {
        let pipe = Pipe()
        let channel = pipe.fileHandleForWriting.fileDescriptor
        let process = try ChildProcess(
            "/bin/sh", ["-c", script], environment: environment, input: FileHandle.nullDevice.fileDescriptor,
            output: channel, errors: channel)
        let text = String(decoding: try pipe.all(), as: UTF8.self)
        return (process.wait(), text)
    }

    @Test("what it says on both channels, its environment and its exit code")
    func everyday() throws {
        let found = try said("echo $PLACE; echo to the other >&2; exit 7", environment: ["PLACE": "here"])
        #expect(found == (7, "here\nto the other\n"))
    }

    @Test("it has none of the files that are open here, however many, and its signals as at a start")
    func clean() throws {
        // So many that their list fills the buffer in which a directory is read.
        let files = (0..<3000).map { _ in open("/dev/null", O_RDONLY) }
        defer { files.forEach { close($0) } }
        #expect(files.allSatisfy { $0 >= 0 })
        // The shell itself opens the folder.
        #expect(
            try said("cd /proc/self/fd; echo 0 1 2; for f in [3-9]* [12]??*; do test -e $f && echo $f; done; true")
                .text == "0 1 2\n")
        // One that no other test sends.
        let before = signal(SIGUSR2, SIG_IGN)
        defer { signal(SIGUSR2, before) }
        #expect(try said("kill -USR2 $$; echo ignored") == (128 + SIGUSR2, ""))
    }

    @Test("it is running until it was ended by a signal, and is waited for as often as one likes")
    func signals() throws {
        let lifeline = Pipe()
        let process = try ChildProcess("/bin/cat", [], input: lifeline.fileHandleForReading.fileDescriptor)
        #expect(process.isRunning && process.exitCode == nil)
        process.signal(SIGKILL)
        #expect(process.wait() == 128 + SIGKILL)
        #expect(process.wait() == 128 + SIGKILL && !process.isRunning)
        // Its number may be another's by now.
        process.signal(SIGKILL)
    }

    @Test("one that somebody else has waited for has ended, and nobody knows how")
    func lost() throws {
        let process = try ChildProcess("/bin/true", [])
        var status: Int32 = 0
        #expect(waitpid(process.id, &status, 0) == process.id)
        #expect(process.wait() == ChildProcess.lost && !process.isRunning)
    }

    @Test("a program that is not there is named")
    func missing() {
        #expect { try ChildProcess("/nonexistent/program", []) } throws: {
            "\($0)" == "can't start /nonexistent/program: No such file or directory"
        }
    }
}
