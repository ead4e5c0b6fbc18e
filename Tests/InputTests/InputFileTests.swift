import Foundation
import Testing

@testable import Commands

/// What is wrong with a file as a whole is one sentence.
@Suite final class InputFileTests {
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "twinline-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private var sample: String { TicketFileTests.header + "\n" + TicketFileTests.row("1") + "\n" }

    private func failure(_ name: String, _ bytes: Data?) throws -> InputError? {
        let file = directory.appending(path: name)
        try bytes?.write(to: file)
        do throws(InputError) {
            _ = try TicketFile(file)
            return nil
        } catch { return error }
    }

    private func packed(_ text: String) throws -> Data {
        let file = directory.appending(path: "plain")
        try text.write(to: file, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: "/bin/gzip")
        process.arguments = ["-c", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return data
    }

    @Test("a packed file is read under any name; one that is cut off or none is refused")
    func gzip() throws {
        let whole = try packed(sample)
        #expect(try failure("day.csv.gz", whole) == nil)
        #expect(try failure("day.csv", whole) == nil)
        for length in [2, 10, whole.count / 2, whole.count - 1] {
            let error = try #require(try failure("cut.csv.gz", whole.prefix(length)))
            #expect("\(error)".contains("cut.csv.gz can't be unpacked: unexpected end of file; fetch it again"))
            #expect(error.exitCode == .badInput)
        }
        var damaged = whole
        damaged[whole.count - 6] ^= 1
        #expect("\(try #require(try failure("damaged.csv.gz", damaged)))".contains("crc error"))
        let plain = try #require(try failure("plain.csv.gz", Data(sample.utf8)))
        #expect("\(plain)".contains("can't be unpacked: not in gzip format"))
        #expect("\(try #require(try failure("none.csv.gz", Data())))".contains("none.csv.gz is empty; fetch it again"))
    }

    @Test(
        "a file without tickets says what is wrong with it",
        arguments: [
            ("", "is empty; pass a file in the format of Boston's 311"),
            ("\u{FEFF}\r\n\r\n", "is empty; pass a file"),
            ("a,b\n1,2\n", "has no column case_enquiry_id, open_dt, target_dt, closed_dt, case_title, type, queue, "),
            ("\"case_enquiry_id,open_dt\n", "has no header that can be read, line 1, column 1: the quote that opens"),
            (TicketFileTests.header.replacingOccurrences(of: "open_dt", with: "opened"), "has no column open_dt in "),
            (TicketFileTests.header + "\r\n", "holds no ticket, only a header"),
            (
                TicketFileTests.header + "\nx\ny\n",
                "holds no row that can be read, of 2; the first: line 2, column 1: 1 fields, where the header has 10"
            ),
        ])
    func whole(_ text: String, _ sentence: String) throws {
        let error = try #require(try failure("day.csv", Data(text.utf8)))
        #expect("\(error)".contains("day.csv " + sentence), "\(error)")
        #expect(error.exitCode == .badInput)
    }

    @Test("a file that can't be opened has an exit code of its own")
    func missing() throws {
        let missing = try #require(try failure("nowhere.csv", nil))
        #expect("\(missing)".contains("nowhere.csv: there is no such file") && missing.exitCode == .noInput)
        try FileManager.default.createDirectory(
            at: directory.appending(path: "folder.csv"), withIntermediateDirectories: true)
        let folder = try #require(try failure("folder.csv", nil))
        #expect("\(folder)".contains("folder.csv: it is a directory") && folder.exitCode == .noInput)
    }
}
