import Foundation
import Testing

@testable import Commands

/// Small nasty files: each slip costs its own row, and is named where it is.
@Suite struct TicketFileTests {
    static let header =
        "case_enquiry_id,open_dt,target_dt,closed_dt,closure_reason,case_title,type,queue,neighborhood,source"
    /// A good row, with some of its fields replaced.
    static func row(_ id: String, _ changes: [String: String] = [:]) -> String {
        let good = [
            "case_enquiry_id": id, "open_dt": "2011-08-28 00:25:58", "case_title": "Case \(id)", "type": "Notification",
            "source": "Twitter",
        ]
        return header.split(separator: ",").map { changes[String($0)] ?? good[String($0)] ?? "" }.joined(separator: ",")
    }

    private func read(_ rows: [String], lineEnd: String = "\n") throws -> TicketFile {
        try read(([Self.header] + rows).map { $0 + lineEnd }.joined())
    }

    private func read(_ text: String) throws -> TicketFile { try TicketFile(Array(text.utf8), path: "day.csv") }

    private func titles(_ file: TicketFile) -> [String] { file.rows.map(\.open.text) }
    private func faults(_ file: TicketFile) -> [String] { file.unreadable.map(\.description) }

    @Test("a row with the wrong number of fields is named, and the others are read")
    func fieldCount() throws {
        let file = try read([Self.row("1"), "2,2011-08-28 00:25:58", Self.row("3") + ",more", Self.row("4")])
        #expect(titles(file) == ["Case 1", "Case 4"])
        #expect(
            faults(file) == [
                "line 3, column 1: 2 fields, where the header has 10",
                "line 4, column 1: 11 fields, where the header has 10",
            ])
        #expect(file.count == "4 rows, 2 unreadable")
    }

    @Test(
        "a field that can't be read is named with its line and column",
        arguments: [
            ("open_dt", "", "column 3: open_dt is missing"),
            ("open_dt", "yesterday", "column 3: open_dt is \"yesterday\", not a time such as 2011-08-28 00:25:58"),
            ("open_dt", "1969-12-31 23:59:59", "column 3: open_dt is before 1970"),
            ("target_dt", "2011-02-29 00:00:00", "column 23: target_dt is \"2011-02-29 00:00:00\", not a time"),
            ("closed_dt", "2011-08-28 24:00:00", "column 24: closed_dt is \"2011-08-28 24:00:00\", not a time"),
            ("closed_dt", "99999999999999999999-1-1 1:1:1", "column 24: closed_dt is \"9999999999"),
            ("case_enquiry_id", "", "column 1: case_enquiry_id is missing"),
            ("case_title", "", "column 26: case_title is missing"),
            ("type", " ", "column 33: type is missing"),
            ("type", String(repeating: "ä", count: 129), "column 33: type has 258 bytes, more than 256"),
            ("queue", String(repeating: "x", count: 257), "column 46: queue has 257 bytes, more than 256"),
            ("case_title", String(repeating: "x", count: (1 << 20) + 1), "case_title has 1048577 bytes, more than"),
            ("closure_reason", String(repeating: "x", count: (1 << 20) + 1), "closure_reason has 1048577 bytes"),
            ("case_title", "a\0b", "column 26: case_title holds a NUL byte"),
            ("case_title", "a \"b\" c", "column 28: a quote within a field that is not in quotes"),
            ("case_title", "\"a\" b", "column 29: text follows a closing quote"),
            ("case_title", "a\rb", "column 27: a carriage return within a field not in quotes"),
        ])
    func field(_ name: String, _ value: String, _ fault: String) throws {
        let file = try read([Self.row("1"), Self.row("2", [name: value]), Self.row("3")])
        #expect(titles(file) == ["Case 1", "Case 3"])
        #expect(file.unreadable.count == 1 && faults(file)[0].hasPrefix("line 3, column "), "\(faults(file))")
        #expect(faults(file)[0].contains(fault), "\(faults(file)[0].prefix(200))")
    }

    @Test("what may be missing is no fault, nor is a deadline before the opening")
    func allowed() throws {
        let file = try read([
            Self.row("1", ["target_dt": "2001-01-01 00:00:00", "closed_dt": "2001-01-01 00:00:00", "source": ""])
        ])
        #expect(file.unreadable.isEmpty)
        let row = try #require(file.rows.first)
        #expect(row.open.district == "" && row.open.caller == "" && row.unit == "unassigned")
        #expect(try #require(row.open.deadline) < row.open.openedAt)
        #expect(file.steps.map(\.action) == [.open, .dispatch, .accept, .complete])
    }

    @Test("bad UTF-8 is a fault of its row")
    func encoding() throws {
        var bytes = Array((Self.header + "\n" + Self.row("ä1") + "\n" + Self.row("2") + "\n").utf8)
        let broken = try #require(bytes.firstIndex(of: UInt8(ascii: "C")))
        bytes[broken] = 0xC3
        let file = try TicketFile(bytes, path: "day.csv")
        #expect(titles(file) == ["Case 2"] && faults(file) == ["line 2, column 27: case_title is not UTF-8"])
    }

    @Test("a byte order mark, CRLF, empty lines and a missing last line end are no faults", arguments: ["\n", "\r\n"])
    func lineEnds(_ lineEnd: String) throws {
        let rows = [Self.header, "", Self.row("1", ["case_title": "\"a, \"\"b\"\"\(lineEnd)c\""]), "", Self.row("2")]
        let file = try read("\u{FEFF}" + rows.joined(separator: lineEnd))
        #expect(titles(file) == ["a, \"b\"\(lineEnd)c", "Case 2"] && file.unreadable.isEmpty)
        #expect(file.rows.first?.open.channel == .message)
    }

    @Test("a fault behind a field of several lines is named with its own line")
    func place() throws {
        let file = try read([Self.row("1", ["closure_reason": "\"x\ny\"", "type": ""]), Self.row("2")])
        #expect(faults(file) == ["line 3, column 11: type is missing (the row begins on line 2)"])
        #expect(titles(file) == ["Case 2"])
    }

    @Test("a quote that is never closed costs its own row only")
    func openQuote() throws {
        let file = try read([
            Self.row("1"), Self.row("2", ["case_title": "\"never closed"]), Self.row("3"), "short", Self.row("4"),
        ])
        #expect(titles(file) == ["Case 1", "Case 3", "Case 4"])
        #expect(
            faults(file) == [
                "line 3, column 26: the quote that opens here is never closed",
                "line 5, column 1: 1 fields, where the header has 10",
            ])
    }

    @Test("a quote that is closed by another row's costs its own row only")
    func crossedQuotes() throws {
        let file = try read([
            Self.row("1", ["case_title": "\"never closed"]), Self.row("2"), Self.row("3", ["case_title": "\"quoted\""]),
            Self.row("4"),
        ])
        #expect(titles(file) == ["Case 2", "quoted", "Case 4"])
        #expect(file.unreadable.count == 1)
        // Closed where a quote may close; the number of fields gives it away.
        let other = try read([
            Self.row("1", ["case_title": "\"never closed"]), Self.row("2"), Self.row("3", ["type": "odd\""]),
            Self.row("4"),
        ])
        #expect(titles(other) == ["Case 2", "Case 4"])
        #expect(other.unreadable.map(\.row) == [2, 4])
    }

    @Test("a row of several lines with the wrong number of fields is one fault")
    func longRow() throws {
        let file = try read(["1,\"a\nb\nc\",2", Self.row("2")])
        #expect(titles(file) == ["Case 2"])
        #expect(faults(file) == ["line 2, column 1: 3 fields, where the header has 10"])
    }

    @Test("a row over the limit is named at its beginning, and reading goes on at the next line")
    func overlong() throws {
        let lines = String(repeating: "x\n", count: CSVReader.rowLimit / 2 + 1)
        let file = try read([Self.row("1", ["case_title": "\"" + lines + "\""]), Self.row("2")])
        #expect(titles(file) == ["Case 2"])
        #expect(faults(file).first?.hasPrefix("line 2, column 1: the row is longer than 3145728 bytes") == true)
    }
}
