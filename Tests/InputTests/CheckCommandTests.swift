import ArgumentParser
import Foundation
import Histories
import Testing

@testable import Commands

/// `twinline check` as a script meets it: by its exit code.
@Suite struct CheckCommandTests {
    static let ticket = "01320f771e4000010000000000000002"
    static let right = [
        #"{"process":0,"type":"invoke","f":"open","value":[""# + ticket + #"",""],"time":1000}"#,
        #"{"process":0,"type":"ok","f":"open","value":[""# + ticket + #"",{"state":"open","revision":1}],"time":2000}"#,
        #"{"process":1,"type":"invoke","f":"show","value":[""# + ticket + #"",null],"time":3000}"#,
        #"{"process":1,"type":"ok","f":"show","value":[""# + ticket
            + #"",{"state":"open","unit":"","revision":1}],"time":4500}"#,
    ]
    static let wrong =
        Array(right[..<3]) + [
            #"{"process":1,"type":"ok","f":"show","value":[""# + ticket + #"",null],"time":4500}"#
        ]

    /// The exit code for files with these lines.
    func code(_ files: [String]..., options: [String] = []) throws -> Int32 {
        let folder = FileManager.default.temporaryDirectory.appending(path: "check-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var paths: [String] = []
        for (number, lines) in files.enumerated() {
            let path = folder.appending(path: "\(number).jsonl").path
            try lines.map { $0 + "\n" }.joined().write(toFile: path, atomically: true, encoding: .utf8)
            paths.append(path)
        }
        return try run(options + paths)
    }

    func run(_ arguments: [String]) throws -> Int32 {
        do { try CheckCommand.parse(arguments).run() } catch let code as ArgumentParser.ExitCode {
            return code.rawValue
        }
        return 0
    }

    @Test("right is 0, wrong is 1, no history is 65, no file is 66, and the worst of several counts")
    func exitCodes() throws {
        #expect(try code(Self.right) == 0)
        #expect(try code(Self.wrong) == 1)
        #expect(try code(Self.wrong, options: ["--json"]) == 1)
        #expect(try code(["nonsense"]) == 65)
        #expect(try code([]) == 65)
        #expect(try run(["/nowhere/at/all.jsonl"]) == 66)
        #expect(try code(Self.right, Self.wrong, ["nonsense"]) == 1)
        #expect(try code(["nonsense"], Self.right) == 65)
    }

    @Test("what could not be decided is 75, and never right")
    func undecided() throws {
        let balances = [
            #"{"process":0,"type":"invoke","f":"balances","value":null,"time":1}"#,
            #"{"process":0,"type":"ok","f":"balances","value":{"a":1},"time":2}"#,
        ]
        #expect(try code(balances) == 75)
        #expect(try code(balances, ["nonsense"]) == 65)
    }

    @Test("a standby's answer may be as old as is said")
    func standbyAge() throws {
        let old =
            Array(Self.right[..<2]) + [
                #"{"process":1,"type":"invoke","f":"standby-show","value":[""# + Self.ticket
                    + #"",null],"time":5002000}"#,
                #"{"process":1,"type":"ok","f":"standby-show","value":[""# + Self.ticket + #"",null],"time":6000000}"#,
            ]
        #expect(try code(old) == 0)
        #expect(try code(old, options: ["--standby-age", "6"]) == 0)
        #expect(try code(old, options: ["--standby-age", "4"]) == 1)
    }

    @Test("a violation is told with its lines, its processes and what they were told")
    func report() throws {
        let bytes = Array(Self.wrong.map { $0 + "\n" }.joined().utf8)
        let report = HistoryReport(try HistoryFormat.read(bytes))
        #expect(report.sentence == "2 operations, WRONG: stale read, ticket \(Self.ticket)")
        #expect(
            report.lines(of: report.verdict.violations[0]) == [
                "stale read, ticket \(Self.ticket): revision 1 was answered before the second began, which found no "
                    + "ticket",
                "  lines 1–2  process 0  at 0 ns for 1.000 µs      open → open, revision 1",
                "  lines 3–4  process 1  at 2.000 µs for 1.500 µs  show → no such ticket",
            ])
        #expect(report.json.contains(#""anomaly":"stale read""#))
    }
}
