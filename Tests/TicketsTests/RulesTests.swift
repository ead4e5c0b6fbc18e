import Testing
import Tickets

private let id = TicketID(high: 1, low: 2)

private func command(_ action: HistoryRow.Action) -> Command {
    switch action {
    case .open: .open(OpenTicket(id: id, openedAt: 1, category: "water", text: "a pipe burst"))
    case .dispatch: .dispatch(id, unit: "roads", note: "please")
    case .accept: .accept(id, note: "taken")
    case .return: .return(id, reason: "not ours")
    case .complete: .complete(id, result: "mended")
    case .note: .note(id, text: "called again")
    }
}

/// The whole table: what each action makes of a ticket in each state; nil is a refusal.
private let table: [HistoryRow.Action: [Ticket.State: Ticket.State]] = [
    .open: [:],
    .dispatch: [.open: .dispatched, .returned: .dispatched],
    .accept: [.dispatched: .accepted],
    .return: [.dispatched: .returned, .accepted: .returned],
    .complete: [.accepted: .completed],
    .note: [
        .open: .open, .dispatched: .dispatched, .accepted: .accepted, .returned: .returned, .completed: .completed,
    ],
]

private func refusal(_ command: Command, on current: Ticket.Progress?) -> Refusal? {
    do throws(Refusal) { _ = try command.decided(on: current, by: "seat/1", at: 9) } catch { return error }
    return nil
}

@Test("each action does in each state what the table says", arguments: Ticket.State.allCases)
func everyStateAndAction(_ state: Ticket.State) throws {
    let unit = state == .open || state == .returned ? "" : "parks"
    let before = Ticket.Progress(state: state, unit: unit, revision: 7)
    for action in HistoryRow.Action.allCases {
        guard let expected = table[action]?[state] else {
            #expect(
                refusal(command(action), on: before)
                    == (action == .open ? .ticketExists(id) : .notInState(id, state: state, action: action)))
            continue
        }
        let change = try command(action).decided(on: before, by: "seat/1", at: 9)
        #expect(change.progress.state == expected)
        #expect(change.progress.revision == 8)
        #expect(change.row.state == expected)
        #expect(change.row.revision == 8)
        #expect(change.row.action == action)
        #expect((change.row.ticket, change.row.at, change.row.actor) == (id, 9, "seat/1"))
        #expect(change.done == Done(ticket: id, state: expected, revision: 8))
    }
}

@Test("opening makes the first row of the history")
func opening() throws {
    let change = try command(.open).decided(on: nil, by: "seat/1", at: 9)
    #expect(change.progress == Ticket.Progress(state: .open, unit: "", revision: 1))
    #expect(change.row.revision == 1)
    #expect(change.row.note == "")
}

@Test("whatever needs a ticket is refused without one", arguments: HistoryRow.Action.allCases)
func noTicket(_ action: HistoryRow.Action) {
    #expect(refusal(command(action), on: nil) == (action == .open ? nil : .noSuchTicket(id)))
}

@Test("the unit is set by dispatching, kept by accepting and completing, and cleared by returning")
func unitFollows() throws {
    let open = Ticket.Progress(state: .open, unit: "", revision: 1)
    let dispatched = try command(.dispatch).decided(on: open, by: "s", at: 1)
    #expect((dispatched.progress.unit, dispatched.row.unit) == ("roads", "roads"))
    let accepted = try command(.accept).decided(on: dispatched.progress, by: "s", at: 2)
    #expect((accepted.progress.unit, accepted.row.unit) == ("roads", "roads"))
    let completed = try command(.complete).decided(on: accepted.progress, by: "s", at: 3)
    #expect((completed.progress.unit, completed.row.unit) == ("roads", "roads"))
    let returned = try command(.return).decided(on: accepted.progress, by: "s", at: 3)
    #expect((returned.progress.unit, returned.row.unit) == ("", "roads"))
    #expect(returned.row.note == "not ours")
}

@Test("a required field that is empty is missing")
func missingFields() {
    let any = Ticket.Progress(state: .open, unit: "", revision: 1)
    #expect(refusal(.return(id, reason: ""), on: any) == .missing(field: "reason"))
    #expect(refusal(.dispatch(id, unit: "", note: ""), on: any) == .missing(field: "unit"))
    #expect(refusal(.note(id, text: ""), on: any) == .missing(field: "text"))
    let nobody = OpenTicket(id: TicketID(high: 0, low: 0), openedAt: 1, category: "c", text: "t")
    #expect(refusal(.open(nobody), on: nil) == .missing(field: "ticket"))
    let unnamed = OpenTicket(id: id, openedAt: 1, category: "", text: "t")
    #expect(refusal(.open(unnamed), on: nil) == .missing(field: "category"))
    let silent = OpenTicket(id: id, openedAt: 1, category: "c", text: "")
    #expect(refusal(.open(silent), on: nil) == .missing(field: "text"))
}

@Test("a field may have as many bytes as its limit, and not one more")
func longFields() {
    let open = Ticket.Progress(state: .open, unit: "", revision: 1)
    func text(_ bytes: Int) -> String { String(repeating: "x", count: bytes) }
    #expect(refusal(.dispatch(id, unit: text(256), note: text(1 << 20)), on: open) == nil)
    #expect(
        refusal(.dispatch(id, unit: text(257), note: ""), on: open)
            == .textTooLong(field: "unit", bytes: 257, limit: 256))
    #expect(
        refusal(.note(id, text: text((1 << 20) + 1)), on: open)
            == .textTooLong(field: "text", bytes: (1 << 20) + 1, limit: 1 << 20))
    let umlauts = OpenTicket(id: id, openedAt: 1, caller: String(repeating: "ü", count: 129), category: "c", text: "t")
    #expect(refusal(.open(umlauts), on: nil) == .textTooLong(field: "caller", bytes: 258, limit: 256))
}
