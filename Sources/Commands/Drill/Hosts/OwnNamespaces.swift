import Foundation

/// A drill runs in namespaces of its own for network, mounts and processes. Nothing of its hosts has a name outside:
/// two drills can't meet, and however one ends, the kernel takes its networks, disks and processes away with it, the
/// frozen ones too.
enum OwnNamespaces {
    private static let packages = [
        "unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2", "nft": "nftables", "openssl": "openssl",
    ]

    /// Runs this very program there, with these arguments, until it ends, and gives its exit code. Whatever ends this
    /// process closes the other one's input, which ends that one.
    static func run(_ arguments: [String]) async throws -> Int32 {
        let lifeline = Pipe()
        let process = try ChildProcess(
            "/usr/bin/env", unshare + [ManagedProcess.ownProgram.path] + arguments,
            input: lifeline.fileHandleForReading.fileDescriptor)
        return await withCheckedContinuation { waiting in
            Thread {
                let code = process.wait()
                withExtendedLifetime(lifeline) { waiting.resume(returning: code) }
            }.start()
        }
    }

    private static var unshare: [String] {
        let user = getuid() == 0 ? [] : ["--user", "--map-root-user"]
        return ["unshare"] + user + ["--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--"]
    }

    /// - Throws: `Failure` that says what this machine lacks.
    static func check() async throws {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let missing = packages.filter { program in
            !folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program.key)") }
        }
        guard missing.isEmpty else {
            let packages = Set(missing.values).sorted().joined(separator: " ")
            throw Failure(
                "a drill needs the programs \(missing.keys.sorted().joined(separator: ", ")); install them "
                    + "(Debian: apt install \(packages)), with /usr/sbin on the PATH")
        }
        let trial = try await ShellCommand(unshare + ["true"]).result()
        guard trial.code == 0 else {
            throw Failure(
                "a drill makes its hosts as namespaces of the kernel, and this machine doesn't let it: "
                    + "\(trial.output). Run it as root, outside of containers that forbid it")
        }
    }
}
