import Foundation
import Replication
import Store
import Tickets

extension LoggedChange {
    /// The tickets that a change is about.
    package var tickets: [TicketID] {
        switch table {
        case "tickets": self["id"]?.ticket.map { [$0] } ?? []
        case "history": self["ticket"]?.ticket.map { [$0] } ?? []
        case "answers": (self["answer"]?.answer?.ticket).map { [$0] } ?? []
        default: []
        }
    }

    /// What happened, in one sentence; nil for what only follows from something else.
    func happening(_ words: ChangeWords) -> String? {
        switch (table, operation) {
        case ("history", .insert): visit(words)
        case ("sessions", .insert): "\(text("actor", words)) began session \(integer("id"))"
        case ("sessions", .delete): "session \(integer("id")) of \(text("actor", words)) expired"
        case ("answers", .insert): answered(words)
        default: nil
        }
    }

    /// Milliseconds since 1970, by the clock of the node that led; nil if the change does not tell.
    var time: Int64? {
        switch (table, operation) {
        case ("history", .insert): integer("at")
        case ("sessions", .insert), ("sessions", .update): self["last_word"].map { _ in integer("last_word") }
        default: nil
        }
    }

    private func visit(_ words: ChangeWords) -> String? {
        guard let ticket = self["ticket"]?.ticket, let action = HistoryRow.Action(rawValue: integer("action")) else {
            return nil
        }
        let unit = text("unit", words)
        let what =
            switch action {
            case .open: "opened ticket \(ticket)"
            case .dispatch: "dispatched ticket \(ticket) to \(unit)"
            case .accept: "accepted ticket \(ticket) for \(unit)"
            case .return: "returned ticket \(ticket)"
            case .complete: "completed ticket \(ticket)"
            case .note: "added a note to ticket \(ticket)"
            }
        return "\(text("actor", words)) \(what)"
    }

    private func answered(_ words: ChangeWords) -> String? {
        guard let answer = self["answer"]?.answer, case .integer(let id)? = self["id"]?.new else { return nil }
        let request = "request \(words.words(table, "id", .integer(id)))"
        switch answer {
        case .done: return nil
        case .executed(let results):
            return "\(request) ran \(results.count == 1 ? "a statement" : "\(results.count) statements") of SQL"
        case .schemaChanged: return "\(request) changed the schema"
        case .refused(let refusal): return "\(request) was refused: \(words.shown("\(refusal)"))"
        }
    }

    private func integer(_ column: String) -> Int64 {
        if case .integer(let integer)? = self[column]?.value { integer } else { 0 }
    }

    private func text(_ column: String, _ words: ChangeWords) -> String {
        if case .text(let text)? = self[column]?.value { words.shown(text) } else { "?" }
    }
}

extension LoggedChange.Column {
    package var value: LoggedChange.Value? { new ?? old }

    fileprivate var ticket: TicketID? {
        if case .blob(let bytes)? = value { TicketID(ChangeWords.hex(bytes)) } else { nil }
    }

    fileprivate var answer: Answer? {
        if case .blob(let bytes)? = value { bytes.withUnsafeBytes { Answer(encoded: $0) } } else { nil }
    }
}

extension Answer {
    fileprivate var ticket: TicketID? {
        switch self {
        case .done(let done): done.ticket
        case .refused(.noSuchTicket(let id)), .refused(.ticketExists(let id)), .refused(.notInState(let id, _, _)): id
        case .executed, .schemaChanged, .refused: nil
        }
    }
}

extension FoundEntry {
    /// Of the newest thing that it holds, by the clock of the node that led.
    package var time: Int64? { allChanges?.compactMap(\.time).max() }

    package func happenings(_ words: ChangeWords) -> [String] { changes.compactMap { $0.happening(words) } }
}
