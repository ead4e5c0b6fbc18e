import Foundation
import Replication
import Testing
import Tickets
import Wire

@testable import DurableLog
@testable import Store
@testable import Daemon
@testable import Commands

/// `twinline log show` on a log as a node writes it: real batches, in real segments.
@Suite struct LogShowTests {
    private static let ticket = TicketID(high: 0x0132_0f77_1e40_0001, low: 2)
    private static let other = TicketID(high: 0x0132_0f77_1e40_0001, low: 3)

    private func open(_ id: TicketID, _ text: String) -> Command {
        .open(
            OpenTicket(
                id: id, openedAt: 1_314_525_500_000, caller: "Ann", category: "Street lights", district: "north",
                text: text))
    }

    private func sample() throws -> LogSample {
        let sample = try LogSample()
        try sample.perform(open(Self.ticket, "Dark\nsince \u{1b}[31mMonday"))
        try sample.perform(
            .dispatch(Self.ticket, unit: "lamps", note: "soon"), .complete(Self.ticket, result: "x"),
            open(Self.other, "A tree"))
        return sample
    }

    @Test("entries read as what happened and which rows changed")
    func golden() throws {
        let text = EntryText(ChangeWords(), brief: false)
        let (lines, troubles) = try sample().show { text.page($0) }
        #expect(troubles.isEmpty)
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "LogShow.txt")
        let expected = try String(contentsOf: file, encoding: .utf8)
        #expect(lines.joined(separator: "\n") + "\n" == expected)
    }

    @Test("SQL reads as its definitions, and as the rows and columns of the platform's tables")
    func sql() throws {
        let sample = try LogSample()
        try sample.sql(
            .changeSchema(
                "CREATE TABLE units (name TEXT NOT NULL PRIMARY KEY, phone);\nCREATE INDEX u ON units (phone)"),
            .execute([SQLStatement("INSERT INTO units VALUES ('Roads', 331) RETURNING name")]),
            .execute([SQLStatement("DELETE FROM tickets")]), .changeSchema("DROP TABLE nowhere"))
        let text = EntryText(ChangeWords(), brief: false)
        let lines = try sample.show(last: 4) {
            text.page($0).split(separator: "\n").dropFirst().joined(separator: "\n")
        }
        #expect(
            lines.lines == [
                """
                  request 1/1 changed the schema
                    CREATE TABLE units (name TEXT NOT NULL PRIMARY KEY, phone);
                    CREATE INDEX u ON units (phone)
                    + answers 1/1: answer done: schema version 2
                """,
                """
                  request 1/2 ran a statement of SQL
                    + units 'Roads': phone 331
                    + answers 1/2: answer done: 1 changed, 1 given
                """,
                """
                  request 1/3 was refused: Statement 1 can't be run: tickets is Twinline's own table; it may only be \
                read. Nothing was changed; correct it.
                    + answers 1/3: answer refused: Statement 1 can't be run: tickets is Twinline's own table; it may \
                only be read. Nothing was changed; correct it.
                """,
                """
                  request 1/4 was refused: Statement 1 can't be run: no such table: nowhere. Nothing was changed; \
                correct it.
                    + answers 1/4: answer refused: Statement 1 can't be run: no such table: nowhere. Nothing was \
                changed; correct it.
                """,
            ])
        #expect(lines.troubles.isEmpty)
        let json = try sample.show(from: 3, to: 3) { EntryJSON(words: ChangeWords()).line($0) }.lines[0]
        #expect(json.contains(#""sql":"CREATE TABLE units (name TEXT NOT NULL PRIMARY KEY, phone);\nCREATE INDEX"#))
    }

    @Test("of an entry only what belongs to the ticket or the table is shown")
    func filters() throws {
        let sample = try sample()
        let text = EntryText(ChangeWords(), brief: true)
        let of = { try sample.show(filter: EntryFilter(ticket: $0)) { text.page($0) }.lines }
        #expect(
            try of(Self.ticket).map { $0.split(separator: "\n").dropFirst().map { $0.dropFirst(2) } } == [
                ["seat/017 opened ticket \(Self.ticket)"],
                [
                    "seat/017 dispatched ticket \(Self.ticket) to lamps",
                    "request 1/3 was refused: Ticket \(Self.ticket) is dispatched, which does not allow \"complete\": "
                        + "show it to see who has it.",
                ],
            ])
        #expect(try of(Self.other).count == 1)
        #expect(try of(TicketID(high: 9, low: 9)).isEmpty)
        let rows = try sample.show(filter: EntryFilter(table: "counters")) {
            "\($0.entry.position) \($0.changes.count)"
        }
        #expect(rows.lines == ["e3:2 1"])
    }

    @Test("ranges, and the last so many that match")
    func ranges() throws {
        let sample = try sample()
        let shown = { (last: Int?, from: UInt64, to: UInt64, filter: EntryFilter) in
            try sample.show(last: last, from: from, to: to, filter: filter) { "\($0.entry.position.lsn)" }.lines
        }
        #expect(try shown(nil, 0, .max, EntryFilter()) == ["1", "2", "3", "4"])
        #expect(try shown(2, 0, .max, EntryFilter()) == ["3", "4"])
        #expect(try shown(2, 0, 2, EntryFilter()) == ["1", "2"])
        #expect(try shown(9, 3, .max, EntryFilter()) == ["3", "4"])
        #expect(try shown(nil, 2, 3, EntryFilter()) == ["2", "3"])
        #expect(try shown(1, 0, .max, EntryFilter(ticket: Self.ticket)) == ["4"])
        #expect(try shown(1, 0, .max, EntryFilter(table: "counters")) == ["2"])
        #expect(try shown(1, 5, .max, EntryFilter()) == [])
    }

    @Test("the last so many of a log of many segments are found from behind")
    func segments() throws {
        let sample = try sample()
        for number in 0..<300 { try sample.perform(.note(Self.ticket, text: String(repeating: "n", count: number))) }
        #expect(try ReadOnlyDirectory(path: sample.logPath).names().count { $0.hasSuffix(".segment") } > 2)
        let lines = try sample.show(last: 250) { "\($0.entry.position.lsn)" }.lines
        #expect(lines == (55...304).map(String.init))
        #expect(
            try sample.show(last: 1, filter: EntryFilter(table: "counters")) { "\($0.entry.position.lsn)" }.lines == [
                "2"
            ])
    }

    @Test("what people have said is hidden on demand, in words and in JSON")
    func hidden() throws {
        let sample = try sample()
        let words = ChangeWords(hidesText: true)
        let text = try sample.show { EntryText(words, brief: false).page($0) + EntryJSON(words: words).line($0) }
        let all = text.lines.joined()
        for said in ["Dark", "Monday", "Ann", "soon", "A tree"] { #expect(!all.contains(said), "\(said)") }
        for fact in ["Street lights", "seat/017", "lamps", "(3 characters)", "\"hidden_characters\":3"] {
            #expect(all.contains(fact), "\(fact)")
        }
    }

    @Test("JSON has the values as they are stored, whole")
    func json() throws {
        let lines = try sample().show { EntryJSON(words: ChangeWords(limit: 3)).line($0) }.lines
        let object = try #require(try JSONSerialization.jsonObject(with: Data(lines[2].utf8)) as? [String: Any])
        #expect(object["lsn"] as? Int == 3 && object["kind"] as? String == "changes")
        #expect(object["at"] as? Int == 1_314_525_601_000)
        let change = try #require((object["changes"] as? [[String: Any]])?.first)
        #expect(change["table"] as? String == "tickets" && change["operation"] as? String == "insert")
        #expect((change["key"] as? [String: Any])?["id"] as? String == "\(Self.ticket)")
        #expect((change["new"] as? [String: Any])?["text"] as? String == "Dark\nsince \u{1b}[31mMonday")
    }

    @Test("on a terminal texts are shortened, and obey no one")
    func shortened() {
        let words = ChangeWords(limit: 6)
        #expect(words.words("tickets", "text", .text("1234567890")) == "'123456…'")
        #expect(words.words("tickets", "text", .text("a\u{202e}b\u{9b}")) == "'a\\u{202e}b\\u{9b}'")
    }

    @Test("a torn end is where the log ends; damage is named, and what follows it is shown")
    func damage() throws {
        let sample = try sample()
        for number in 0..<300 { try sample.perform(.note(Self.ticket, text: String(repeating: "n", count: number))) }
        let shown = { try sample.show { "\($0.entry.position.lsn)" } }
        let whole = try shown()
        #expect(whole.lines.count == 304 && whole.troubles.isEmpty)
        // Entry 3 begins behind the header, the mark and the session's entry.
        let third = SegmentHeader.size + 68 + 155
        try sample.damage(at: third + 30)
        let (lines, troubles) = try shown()
        #expect(troubles.count == 1)
        #expect(troubles[0].hasPrefix("\(sample.segment), offset \(third): no valid entry 3"), "\(troubles)")
        let behind = try #require(lines.firstIndex { $0 != "1" && $0 != "2" })
        #expect(behind == 2)
        #expect(Array(lines[2...]) == Array(whole.lines.suffix(lines.count - 2)) && lines.count > 100)
        // The last ones do not touch it. One that was never known to be synced is no loss.
        let last = { try sample.show(last: 5) { "\($0.entry.position.lsn)" } }
        #expect(try last().troubles.isEmpty)
        try sample.tear()
        #expect(try last().troubles.isEmpty && last().lines == (299...303).map(String.init))
    }
}
