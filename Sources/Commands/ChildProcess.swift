import CSpawn
import Foundation
import Synchronization

/// Another program, run as a process of its own, with this process's environment and signals as at a start. It has its
/// three standard files and nothing else of what is open here.
///
/// Not Foundation's `Process`: to find what is open that one reads past the end of a buffer when it is more than a
/// thousand files, and may crash (swift-corelibs-foundation 5472); it takes a whole core while it waits for an end; and
/// it starts nothing where there is no loopback device.
final class ChildProcess: Sendable {
    let id: pid_t
    /// Its exit code, once it was waited for.
    private let ended = Mutex<Int32?>(nil)

    /// - Parameter program: its path.
    /// - Parameter environment: beside what this process has.
    /// - Parameter output: a descriptor that may be written to; so is `errors`.
    /// - Throws: `Failure` with the reason.
    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        input: Int32 = STDIN_FILENO, output: Int32 = STDOUT_FILENO, errors: Int32 = STDERR_FILENO
    ) throws {
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        for (ours, its) in [(input, STDIN_FILENO), (output, STDOUT_FILENO), (errors, STDERR_FILENO)] {
            posix_spawn_file_actions_adddup2(&files, ours, its)
        }
        posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t(), all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let variables = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        var arguments = Self.strings([program] + arguments), environment = Self.strings(variables.map { "\($0)=\($1)" })
        defer { for string in arguments + environment { free(string) } }
        var id: pid_t = 0
        let error = posix_spawn(&id, program, &files, &attributes, &arguments, &environment)
        guard error == 0 else { throw Failure("can't start \(program): \(String(cString: strerror(error)))") }
        self.id = id
    }

    private static func strings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        texts.map { strdup($0) } + [nil]
    }

    /// In place of an exit code that nobody can tell any more.
    static let lost: Int32 = 255

    /// As a shell gives it: 128 and the signal's number if one has ended it. Nil: it is running.
    var exitCode: Int32? {
        ended.withLock { ended in
            var status: Int32 = 0
            guard ended == nil else { return ended }
            let found = waitpid(id, &status, WNOHANG)
            // Somebody else has waited for it, or the system does for a process that is started with SIGCHLD ignored.
            if found == -1, errno == ECHILD { ended = Self.lost }
            guard found == id else { return ended }
            let signal = status & 0x7F
            ended = signal == 0 ? status >> 8 & 0xFF : 128 + signal
            return ended
        }
    }

    var isRunning: Bool { exitCode == nil }

    /// Returns once it has ended.
    @discardableResult
    func wait() -> Int32 {
        while true {
            if let exitCode { return exitCode }
            // Only looks: whoever comes first has it counted as ended, above.
            var found = siginfo_t()
            waitid(P_PID, id_t(id), &found, WEXITED | WNOWAIT)
        }
    }

    /// Never another process that has got its number: that is free only once it was counted as ended.
    func signal(_ number: Int32) { ended.withLock { ended in if ended == nil { kill(id, number) } } }
}

extension Pipe {
    /// What is written to it until all have closed it that write to it, this process among them.
    func all() throws -> Data {
        try fileHandleForWriting.close()
        return fileHandleForReading.readDataToEndOfFile()
    }
}
