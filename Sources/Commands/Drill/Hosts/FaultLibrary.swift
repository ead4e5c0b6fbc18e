import Foundation

/// The libraries that stand between a process and its disk and clock: Deploy/drill/*.c, built where a drill runs.
enum FaultLibrary: String, CaseIterable {
    case diskFaults = "DiskFaults"
    case power = "Power"
    case clock = "Clock"

    /// Builds them there, and gives what a process is started with.
    /// - Throws: `Failure` without a C compiler.
    static func build(in directory: URL) async throws -> [String: String] {
        var libraries: [String] = []
        for library in allCases {
            let target = directory.appending(path: "\(library.rawValue).so").path
            try await library.build(to: target)
            libraries.append(target)
        }
        // Each hands its calls on to the next one.
        return ["LD_PRELOAD": libraries.joined(separator: ":")]
    }

    private func build(to target: String) async throws {
        guard let source = InstalledFile.find("drill/\(rawValue).c") else {
            throw Failure("can't find Deploy/drill/\(rawValue).c; run this from the project's folder")
        }
        let flags = ["-shared", "-fPIC", "-O1", "-o", target, source.path, "-ldl", "-lpthread"]
        var reasons: [String] = []
        for compiler in ["cc", "clang", "gcc"] {
            let result = try await ShellCommand([compiler] + flags).result()
            if result.code == 0 { return }
            reasons.append("\(compiler): \(result.output)")
        }
        throw Failure("can't build \(source.path), which takes a C compiler: " + reasons.joined(separator: "; "))
    }
}
