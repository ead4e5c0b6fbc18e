import Histories
import Seat
import Testing
import Tickets

@testable import Commands

/// What the seats were told, held against a ticket's history.
@Suite struct SeatAuditTests {
    private let ticket = TicketID(high: 1, low: 2)

    private func told(
        _ action: HistoryRow.Action, _ detail: String = "",
        _ outcome: Outcome = .ok(.advanced(state: .open, revision: 1))
    ) -> SeatOperation {
        SeatOperation(
            seat: 0, call: .command(ticket, TicketStep(action, detail)), invoked: 1, completed: 2, outcome: outcome)
    }

    private func row(_ revision: Int64, _ action: HistoryRow.Action, _ note: String = "") -> HistoryRow {
        HistoryRow(
            ticket: ticket, revision: revision, at: 0, actor: "seat/1", action: action, state: .open, unit: "",
            note: note)
    }

    @Test("what was answered is there once")
    func good() {
        let audit = SeatAudit(
            ticket, [told(.open), told(.note, "x")], [row(1, .open, "not compared"), row(2, .note, "x")])
        #expect(audit.lost == 0 && audit.duplicated == 0 && audit.examples.isEmpty)
    }

    @Test("an answered note that is not there is lost")
    func lost() {
        let audit = SeatAudit(ticket, [told(.open), told(.note, "x")], [row(1, .open), row(2, .note, "y")])
        #expect(audit.lost == 1 && audit.duplicated == 0)
        #expect(audit.examples == ["lost: note 'x' of ticket \(ticket)"])
    }

    @Test("what nobody was told of may be there, but not twice")
    func twice() {
        let unknown = told(.note, "x", .unknown)
        #expect(SeatAudit(ticket, [told(.open), unknown], [row(1, .open), row(2, .note, "x")]).duplicated == 0)
        #expect(SeatAudit(ticket, [told(.open), unknown], [row(1, .open)]).lost == 0)
        let twice = [row(1, .open), row(2, .note, "x"), row(3, .note, "x")]
        #expect(SeatAudit(ticket, [told(.open), unknown], twice).duplicated == 1)
    }

    @Test("a gap in a history is a loss")
    func gap() {
        #expect(SeatAudit(ticket, [told(.open)], [row(1, .open), row(3, .note, "x")]).lost == 1)
    }
}
