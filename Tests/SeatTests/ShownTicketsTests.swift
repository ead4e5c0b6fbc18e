import Testing
import Tickets

@testable import Seat

/// A list read later than its mark, and then the changes since the mark: each thing is shown once.
@Suite("what a followed list shows")
struct ShownTicketsTests {
    private func ticket(_ revision: Int64, _ number: UInt64 = 1) -> Ticket {
        Ticket(
            id: TicketID(high: 0, low: number), state: .dispatched, openedAt: 5, channel: .phone, caller: "",
            category: "c", district: "", priority: .normal, confidential: false, text: "t", deadline: 7,
            unit: "Roads", revision: revision)
    }

    private func row(_ revision: Int64, _ number: UInt64 = 1) -> HistoryRow {
        HistoryRow(
            ticket: TicketID(high: 0, low: number), revision: revision, at: 1, actor: "seat/1", action: .note,
            state: .dispatched, unit: "Roads", note: "")
    }

    private func expect(
        _ change: ListChange, _ isNews: Bool, in shown: inout ShownTickets,
        at location: SourceLocation = #_sourceLocation
    ) {
        let found = shown.isNew(change)
        #expect(found == isNews, sourceLocation: location)
    }

    @Test("what the list shows already is passed over, and what comes after it is told")
    func later() {
        var shown = ShownTickets()
        shown.begin([ticket(4)])
        expect(.entered(ticket(2), row(2)), false, in: &shown)
        expect(.changed(row(3)), false, in: &shown)
        expect(.entered(ticket(4), nil), false, in: &shown)
        expect(.changed(row(4)), false, in: &shown)
        expect(.changed(row(5)), true, in: &shown)
        expect(.left(row(6)), true, in: &shown)
        expect(.entered(ticket(7), row(7)), true, in: &shown)
        expect(.changed(row(7)), false, in: &shown)
    }

    @Test("one that came and went before the list was read comes and goes; one that only went is not told")
    func gone() {
        var shown = ShownTickets()
        shown.begin([])
        expect(.changed(row(3, 1)), false, in: &shown)
        expect(.left(row(4, 1)), false, in: &shown)
        expect(.entered(ticket(2, 2), row(2, 2)), true, in: &shown)
        expect(.left(row(3, 2)), true, in: &shown)
        expect(.left(row(3, 2)), false, in: &shown)
    }

    @Test("from a mark on nothing is known of the list, and all is told")
    func fromAMark() {
        var shown = ShownTickets()
        expect(.left(row(3)), true, in: &shown)
        expect(.changed(row(2)), true, in: &shown)
        expect(.entered(ticket(9), nil), true, in: &shown)
    }
}
