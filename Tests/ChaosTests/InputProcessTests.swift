import Foundation
import Testing

@testable import Commands

/// Files that are not quite right, as `twinline seat replay` and `twinline demo` are given them.
extension ProcessTests.InputProcessTests {
    private static let header =
        "case_enquiry_id,open_dt,target_dt,closed_dt,closure_reason,case_title,type,queue,neighborhood,source"
    private static let good = "1,2011-08-28 00:25:58,,2011-08-29 09:49:44,Done,Tree down,Tree,PARK,Roslindale,Twitter"

    @Test("rows that can't be read are named, the others taken in, and the exit code says so")
    func replay() async throws {
        let faulty = try FaultyPair()
        try await faulty.pair.start()
        let directory = faulty.pair.directory
        let operators = try String(contentsOf: directory.appending(path: "seat.yaml"), encoding: .utf8)
        let configuration = directory.appending(path: "seat-1.yaml").path
        try operators.replacingOccurrences(of: "ops-demo", with: "seat-1").write(
            toFile: configuration, atomically: true, encoding: .utf8)
        let file = directory.appending(path: "day.csv").path
        let late = Self.good.replacingOccurrences(of: "09:49:44", with: "9.49")
        try [Self.header, Self.good, "2,\"never closed", Self.good, late, ""].joined(separator: "\r\n").write(
            toFile: file, atomically: true, encoding: .utf8)

        let (code, printed, said) = try await faulty.command("seat", "replay", "--config", configuration, file)
        #expect(code == 65, "\(said)")
        #expect(printed == "4 rows, 2 unreadable\n2 tickets, 10 steps done, 0 refused\n")
        #expect(
            said == """
                twinline: \(file), line 3, column 3: the quote that opens here is never closed
                twinline: \(file), line 5, column 24: closed_dt is "2011-08-29 9.49", not a time such as \
                2011-08-28 00:25:58

                """)
        let json = try await faulty.command("seat", "replay", "--json", "--config", configuration, file)
        #expect(json.code == 65)
        #expect(json.printed == #"{"refused":0,"rows":4,"steps":10,"tickets":2,"unreadable":2}"# + "\n")
        try "nonsense\n".write(toFile: file, atomically: true, encoding: .utf8)
        let none = try await faulty.command("seat", "replay", "--config", configuration, file)
        #expect(none.code == 65 && none.printed.isEmpty && none.said.hasPrefix("twinline: \(file) has no column case_"))
        let missing = try await faulty.command("demo", "--input", file + ".not")
        #expect(missing.code == 66 && missing.said == "twinline: can't read \(file).not: there is no such file\n")
    }
}
