import Daemon
import Foundation
import Replication
import Testing

@testable import Commands

/// `twinline drill` as its users run it.
extension ProcessTests.DrillProcessTests {
    private struct Run {
        var code: Int32
        var output: String

        /// The last line.
        var json: [String: Any] {
            let line = output.split(separator: "\n").last ?? ""
            return (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]) ?? [:]
        }
    }

    private func drill(_ arguments: String...) async throws -> Run {
        let result = try await ShellCommand([FaultyPair.program.path, "drill"] + arguments).result()
        return Run(code: result.code, output: result.output)
    }

    static var hasHosts: Bool {
        get async { (try? await OwnNamespaces.check()) != nil }
    }

    @Test(
        "a power cut of both nodes loses nothing; with disks that lie about syncs it does, and the drill sees it",
        .enabled("no network namespaces here") { await Self.hasHosts })
    func powerCut() async throws {
        let honest = try await drill("--faults", "power-primary-and-standby", "--seats", "6", "--json")
        #expect(honest.code == 0, "\(honest.output)")
        #expect(honest.json["lost"] as? Int == 0)
        let lying = try await drill("--faults", "power-primary-and-standby", "--lying-disks", "--seats", "6", "--json")
        #expect(lying.code == 1)
        #expect((lying.json["lost"] as? Int ?? 0) > 0, "\(lying.output)")
    }

    @Test(
        "two drills beside each other don't meet, and leave nothing behind",
        .enabled("no network namespaces here") { await Self.hasHosts })
    func together() async throws {
        let before = try await ShellCommand(["ip", "netns", "list"]).run()
        async let first = drill("--faults", "isolate-primary", "--seats", "3", "--json")
        async let second = drill("--faults", "kill-primary", "--seats", "3", "--json")
        for run in try await [first, second] { #expect(run.code == 0, "\(run.output)") }
        #expect(try await ShellCommand(["ip", "netns", "list"]).run() == before)
    }

    @Test("on one's own pair: a dry run touches nothing, a switchover is done, and nothing without a possible failover")
    func gameDay() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let folder = faulty.pair.directory
        let config = folder.appending(path: "seat.yaml").path
        let touched = folder.appending(path: "touched").path
        let commands = NodeName.allCases.flatMap { ["--stop", "\($0)=touch \(touched)", "--start", "\($0)=true"] }
        func run(_ more: String...) async throws -> Run {
            let words = [FaultyPair.program.path, "drill", "--config", config] + commands + more
            let result = try await ShellCommand(words).result()
            return Run(code: result.code, output: result.output)
        }
        var primary = try await faulty.primary()
        let dry = try await run("--dry-run")
        #expect(dry.code == 0 && dry.output.contains("run: touch \(touched)"), "\(dry.output)")
        #expect(dry.output.contains("ask node \(primary) to hand over") && dry.output.contains("Nothing was done"))
        let done = try await run("--faults", "switchover", "--seats", "3")
        #expect(done.code == 0 && done.output.contains("switchover"), "\(done.output)")
        #expect(try await faulty.primary() == primary.other)
        primary = primary.other
        faulty.pair.witness.kill()
        try await faulty.wait { !$0.isPaired }
        for arguments in [["--dry-run"], []] {
            let refused = arguments.isEmpty ? try await run() : try await run(arguments[0])
            #expect(refused.code == 1, "\(refused.output)")
            #expect(refused.output.contains("not started, and nothing was touched"))
            #expect(refused.output.contains("no failover possible"))
        }
        #expect(!FileManager.default.fileExists(atPath: touched))
        #expect(try await faulty.sight().primary == primary)
        try await faulty.audit()
    }
}
