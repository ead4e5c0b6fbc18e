import Histories
import Testing
import Tickets

@Suite struct FormatTests {
    /// One of each, with what is hard to write.
    static func everything() throws -> History {
        var story = Story()
        try story.did(0, command(.open), done(.open, 1))
        try story.did(0, command(.note, "\"Straße\"\\\n\t\u{1}\u{7F} 🌳\u{2028}"), done(.open, 2))
        try story.did(0, command(.dispatch, "roads"), .failed(.notInState(.completed)))
        try story.did(0, command(.accept), .failed(.noSuchTicket))
        try story.did(0, command(.open), .failed(.ticketExists))
        try story.did(0, command(.return, "no"), .failed(nil))
        try story.did(1, command(.complete, "mended"), .unknown)
        try story.did(0, show, shown(.dispatched, 2, unit: "ro\"ads"))
        try story.did(0, show, shownNone)
        let sighting = Sighting(
            Ticket.Progress(state: .open, unit: "", revision: 1), age: 7, position: SeenPosition(epoch: 3, lsn: 9))
        try story.did(0, .show(ticket, .standby), .ok(.ticket(sighting)))
        try story.did(0, .show(ticket, .standby), .ok(.ticket(Sighting(nil, age: 7))))
        try story.did(0, .show(ticket, .standby), .failed(nil))
        try story.did(0, .history(ticket), .ok(.rows([TicketStep(.open), TicketStep(.note, "a\nb")])))
        try story.did(0, .list, .ok(.tickets([ticket])))
        try story.did(0, .add(set: .text("s"), .number(.min)), .ok(.done))
        try story.did(0, .elements(set: .text("s")), .ok(.elements([.number(.max), .text("é")])))
        try story.did(0, .accounts(["b/1": -3, "a/\"1": 4]), .ok(.done))
        try story.did(0, .transfer(from: "b/1", to: "a/\"1", amount: -1), .failed(nil))
        try story.did(0, .balances(.latest), .ok(.balances(["b/1": -3])))
        try story.did(0, .balances(.standby), .ok(.balances([:])))
        let asked: [ListStep] = [.append(key: .number(1), .text("v")), .read(key: .text("k"), nil)]
        let told: [ListStep] = [asked[0], .read(key: .text("k"), [.number(0), .text("w")])]
        try story.did(0, .transaction(asked), .ok(.transaction(told)))
        try story.begin(0, .transaction(asked))
        try story.begin(2, .elements(set: .number(3)))
        return story.history
    }

    @Test("what is written is read back the same")
    func roundTrip() throws {
        let history = try Self.everything()
        // The one with the unknown outcome loses its "info" line, and with it the others' line numbers change.
        let read = try HistoryFormat.read(HistoryFormat.lines(of: history))
        #expect(read.operations.map(\.call) == history.operations.map(\.call))
        #expect(read.operations.map(\.outcome) == history.operations.map(\.outcome))
        #expect(read.operations.map(\.process) == history.operations.map(\.process))
        #expect(read.operations.map(\.invoked.time) == history.operations.map(\.invoked.time))
        #expect(HistoryFormat.lines(of: read) == HistoryFormat.lines(of: history))
    }

    @Test("the lines are those of the format's description")
    func lines() throws {
        var story = Story()
        try story.did(4, command(.note, "called again"), done(.open, 3))
        try story.did(4, command(.accept), .failed(.notInState(.open)))
        try story.did(4, show, shown(.open, 3))
        let lines = String(decoding: HistoryFormat.lines(of: story.history), as: UTF8.self).split(separator: "\n")
        let id = #""01320f771e4000010000000000000002""#
        let shown = #"{"state":"open","unit":"","revision":3}"#
        let refused = #"{"refused":"not in state","state":"open"}"#
        #expect(
            lines == [
                #"{"process":4,"type":"invoke","f":"note","value":[\#(id),"called again"],"time":1000}"#,
                #"{"process":4,"type":"ok","f":"note","value":[\#(id),{"state":"open","revision":3}],"time":2000}"#,
                #"{"process":4,"type":"invoke","f":"accept","value":[\#(id),""],"time":3000}"#,
                #"{"process":4,"type":"fail","f":"accept","value":[\#(id),\#(refused)],"time":4000}"#,
                #"{"process":4,"type":"invoke","f":"show","value":[\#(id),null],"time":5000}"#,
                #"{"process":4,"type":"ok","f":"show","value":[\#(id),\#(shown)],"time":6000}"#,
            ])
    }

    @Test("a recorder's lines are those of its history; who never learns an outcome goes on as another process")
    func recorder() throws {
        var recorder = HistoryRecorder(clients: 3, writing: true)
        let first = recorder.invoke(command(.open), by: 1, at: 50)
        let second = recorder.invoke(show, by: 2, at: 40)
        recorder.complete(first, .unknown, at: 60)
        recorder.complete(second, shownNone, at: 70)
        let third = recorder.invoke(show, by: 1, at: 80)
        recorder.complete(third, shown(.open, 1), at: 90)
        #expect(recorder.history.operations.map(\.process) == [1, 2, 4])
        // The clock of who comes second may be behind; the line says when it was recorded.
        #expect(recorder.history.operations.map(\.invoked.time) == [50, 50, 80])
        #expect(recorder.waiting > 0)
        #expect(try HistoryFormat.read(recorder.takeLines()) == recorder.history)
        #expect(recorder.takeLines().isEmpty)
    }

    @Test("a refusal that says what the ticket is like is told from one that says nothing, and from no answer")
    func refusals() {
        #expect(Outcome(Refusal.noSuchTicket(ticket)) == .failed(.noSuchTicket))
        #expect(Outcome(Refusal.notInState(ticket, state: .open, action: .accept)) == .failed(.notInState(.open)))
        #expect(Outcome(Refusal.missing(field: "text")) == .failed(nil))
        #expect(Outcome(Refusal.unknownSession) == .unknown)
    }
}
