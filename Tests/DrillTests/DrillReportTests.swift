import Foundation
import FoundationXML
import Histories
import Seat
import Testing
import Tickets

@testable import Commands

/// What a drill measures and shows.
@Suite struct DrillReportTests {
    private static let ticket = TicketID(high: 1, low: 2)
    private static let second: UInt64 = 1_000_000_000

    private static func note(
        at milliseconds: UInt64, _ outcome: Outcome = .ok(.advanced(state: .open, revision: 1)),
        _ error: SeatError? = nil
    ) -> SeatOperation {
        SeatOperation(
            seat: 4, call: .command(ticket, TicketStep(.note, "n")),
            invoked: second + milliseconds * 1_000_000 - 1, completed: second + milliseconds * 1_000_000,
            outcome: outcome, error: error)
    }

    /// Answers every 10 ms for a second, without those from 300 to 700 ms.
    static func record() -> FaultRecord {
        let operations = (0..<100).map { UInt64($0) * 10 }.filter { !(301..<700).contains($0) }.map { note(at: $0) }
        var record = FaultRecord(name: "kill-primary", summary: "the primary <dies> & \"comes\" back")
        record.measure(
            operations + [
                SeatOperation(
                    seat: 1, call: .show(ticket, .latest), invoked: second, completed: second + 500_000_000,
                    outcome: .ok(.ticket(Sighting(Ticket.Progress(state: .open, unit: "", revision: 1)))))
            ], from: second + 100_000_000, to: second + 990_000_000, pictureFrom: second)
        (record.lost, record.duplicated, record.toPaired) = (0, 0, 321.4)
        record.marks = [.init(at: 0, text: "SIGKILL <node a>"), .init(at: 500, text: "start node a")]
        record.bands = [
            [.init(role: "primary", from: -100, to: 0), .init(role: "away", from: 0, to: 890)],
            [.init(role: "standby", from: -100, to: 200), .init(role: "primary", from: 200, to: 890)],
        ]
        return record
    }

    static func report(_ faults: [FaultRecord]) -> DrillReport {
        var report = DrillReport(subject: "a pair", began: "2026-11-24T18:00:00Z", version: "1.0", seats: 12)
        report.faults = faults
        report.audit = SeatAudit(ticket, [], [])
        (report.acknowledged, report.reads, report.copies) = (1234, 56, .equal("abc"))
        report.history = history([.ok(.advanced(state: .open, revision: 1))])
        return report
    }

    /// Of one who opens the ticket again and again.
    private static func history(_ outcomes: [Outcome]) -> HistoryReport {
        var recorder = HistoryRecorder(clients: 1)
        for outcome in outcomes {
            let token = recorder.invoke(.command(ticket, TicketStep(.open)), by: 0, at: 0)
            recorder.complete(token, outcome, at: 0)
        }
        return HistoryReport(recorder.history)
    }

    @Test("a blackout is the longest time without an answer to a write, between a fault's two ends")
    func blackout() {
        let record = Self.record()
        #expect(record.blackout == 400)
        #expect(record.errors == 0 && record.isGood)
        #expect(record.pictureFrom == -100)
        #expect(record.answers.count == 100)
        #expect(record.answers[30] == 1 && record.answers[31..<50].allSatisfy { $0 == 0 } && record.answers[50] == 1)
        var silent = FaultRecord(name: "x", summary: "")
        silent.measure([], from: 5, to: 10, pictureFrom: 5)
        #expect(silent.blackout == nil)
    }

    @Test("errors count where they were answered, and are no answers")
    func errors() {
        var record = FaultRecord(name: "x", summary: "")
        let failed = Self.note(at: 500, .failed(nil), .unreachable)
        record.measure(
            [Self.note(at: 0), failed, Self.note(at: 900)], from: Self.second, to: Self.second + 900_000_000,
            pictureFrom: Self.second)
        (record.lost, record.duplicated, record.toPaired) = (0, 0, 1)
        #expect(record.blackout == 900 && record.errors == 1 && record.answers.reduce(0, +) == 2)
        #expect(record.examples.first?.contains("seat 5, note") == true)
        #expect(!record.isGood)
        record.losesTwo = true
        #expect(!record.isGood, "with two lost a clear refusal is wanted")
        record.refusal = "No node answered in time"
        #expect(record.isGood)
    }

    @Test("each of these alone is not good")
    func verdict() {
        #expect(Self.report([Self.record()]).isGood)
        let faults: [(inout FaultRecord) -> Void] = [
            { $0.lost = 1 }, { $0.duplicated = 1 }, { $0.errors = 1 }, { $0.toPaired = nil }, { $0.trouble = "x" },
            { $0.lost = nil },
        ]
        for spoil in faults {
            var record = Self.record()
            spoil(&record)
            #expect(!Self.report([record]).isGood)
            #expect(Self.report([record]).text.contains("NOT GOOD: kill-primary"))
        }
        var report = Self.report([Self.record()])
        for copies: DrillReport.Copies? in [.different("node b's tables"), .unknown("node b is away"), nil] {
            report.copies = copies
            #expect(!report.isGood)
        }
        report.copies = .different("node b's tables")
        #expect(report.text.contains("NOT EQUAL") && report.text.contains("copies: node b's tables"))
        report.copies = .unknown("node b is away")
        #expect(report.text.contains("not compared") && report.text.contains("copies: node b is away"))
        report = Self.report([Self.record()])
        report.audit?.lost = 1
        #expect(!report.isGood)
        report = Self.report([Self.record()])
        report.history = Self.history([
            .ok(.advanced(state: .open, revision: 1)), .ok(.advanced(state: .open, revision: 1)),
        ])
        #expect(!report.isGood && report.text.contains("NOT GOOD: the history"))
        #expect(report.text.contains("lines 1–2  process 0"), "what is wrong is told in full")
        report.history = nil
        #expect(!report.isGood)
    }

    @Test("the table")
    func text() {
        var two = Self.record()
        (two.name, two.losesTwo, two.refusal, two.errors) = ("kill-both", true, "No node answered in time.", 2)
        #expect(
            Self.report([Self.record(), two]).text == """
                fault         blackout ms  seat's wait ms  p99 ms  errors  lost  twice  to paired ms
                kill-primary          400             500     0.0       0     0      0           321
                kill-both             400             500     0.0       2     0      0           321  two lost: refused

                acknowledged  1234
                read          56
                lost          0
                twice         0
                errors        2
                copies        equal, digest abc
                history       1 operations, right

                kill-both: No node answered in time.
                nothing lost, nothing twice, no error but where two were lost at once; paired again after each
                """)
    }

    @Test("the JSON says the same")
    func json() throws {
        let text = Self.report([Self.record()]).json
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(!text.contains("\n"))
        #expect(object["good"] as? Bool == true && object["lost"] as? Int == 0)
        #expect(object["acknowledged"] as? Int == 1234)
        #expect(object["digest"] as? String == "abc" && object["copies"] as? String == "equal, digest abc")
        let fault = try #require((object["faults"] as? [[String: Any]])?.first)
        #expect(fault["fault"] as? String == "kill-primary" && fault["blackout_ms"] as? Double == 400)
        #expect(fault["to_paired_ms"] as? Double == 321.4 && fault["loses_two"] as? Bool == false)
    }

    @Test("the page stands for itself, and what is written on it stays text")
    func page() {
        let page = Self.report([Self.record()]).page
        for word in ["http:", "https:", "<script", "<link", "url(", "<img", "@import"] {
            #expect(!page.contains(word), "\(word)")
        }
        #expect(!page.contains("<dies>") && page.contains("&lt;dies&gt; &amp; &quot;comes&quot;"))
        #expect(page.contains("prefers-color-scheme: dark") && page.contains("@media print"))
        #expect(page.contains("id=\"kill-primary\"") && page.contains("href=\"#kill-primary\""))
    }

    @Test("the picture is well-formed, with a band for each role and a line for each mark")
    func picture() {
        let svg = FaultPicture(record: Self.record()).svg
        let counter = ElementCounter()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = counter
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(counter.classes["mark"] == 2 && counter.classes["answers"] == 1)
        #expect(counter.classes["primary"] == 2 && counter.classes["away"] == 1 && counter.classes["standby"] == 1)
        #expect(svg.contains("SIGKILL &lt;node a&gt;"))
    }

    private final class ElementCounter: NSObject, XMLParserDelegate {
        var classes: [String: Int] = [:]

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            if let found = attributes["class"] { classes[found, default: 0] += 1 }
        }
    }
}
