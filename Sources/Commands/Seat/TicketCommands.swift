import ArgumentParser
import Daemon
import Foundation
import Seat
import Tickets

struct OpenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "open", abstract: "Takes in a new ticket.")
    @OptionGroup var seat: SeatOptions
    @Option(help: "How the citizen reached the hotline: \(names(Ticket.Channel.self)).", transform: named)
    var channel = Ticket.Channel.phone
    @Option(help: "Who called.") var caller = ""
    @Option(help: "What it is about, such as 'Street lights'.") var category: String
    @Option(help: "Part of the city.") var district = ""
    @Option(help: "How urgent it is: \(names(Ticket.Priority.self)).", transform: named)
    var priority = Ticket.Priority.normal
    @Flag(help: "The caller is not to be named outside the hotline.") var confidential = false
    @Option(help: "Hours until it must be done.") var deadlineHours: Double?
    @Argument(help: "What the citizen says.") var text: String

    func run() async throws {
        let now = wallClockNow()
        let ticket = OpenTicket(
            id: TicketID(milliseconds: now, random: (.random(in: 0 ... .max), .random(in: 0 ... .max))), openedAt: now,
            channel: channel, caller: caller, category: category, district: district, priority: priority,
            confidential: confidential, text: text, deadline: deadlineHours.map { now + Int64($0 * 3_600_000) })
        try await seat.perform(.open(ticket))
    }
}

struct DispatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dispatch", abstract: "Sends a ticket to a responsible unit.")
    @OptionGroup var seat: SeatOptions
    @Argument var ticket: TicketID
    @Argument(help: "The responsible unit.") var unit: String
    @Option(help: "A word to the unit.") var note = ""
    func run() async throws { try await seat.perform(.dispatch(ticket, unit: unit, note: note)) }
}

struct AcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "accept", abstract: "The unit takes the ticket.")
    @OptionGroup var seat: SeatOptions
    @Argument var ticket: TicketID
    @Option(help: "A word with it.") var note = ""
    func run() async throws { try await seat.perform(.accept(ticket, note: note)) }
}

struct ReturnCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "return", abstract: "The unit gives the ticket back.")
    @OptionGroup var seat: SeatOptions
    @Argument var ticket: TicketID
    @Argument(help: "Why.") var reason: String
    func run() async throws { try await seat.perform(.return(ticket, reason: reason)) }
}

struct CompleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "complete", abstract: "The unit has done it.")
    @OptionGroup var seat: SeatOptions
    @Argument var ticket: TicketID
    @Argument(help: "What was done.") var result: String
    func run() async throws { try await seat.perform(.complete(ticket, result: result)) }
}

struct NoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "note", abstract: "Adds a note to a ticket.")
    @OptionGroup var seat: SeatOptions
    @Argument var ticket: TicketID
    @Argument var text: String
    func run() async throws { try await seat.perform(.note(ticket, text: text)) }
}

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Shows a ticket.")
    @OptionGroup var seat: SeatOptions
    @Argument var ticket: TicketID

    func run() async throws {
        let found = try await seat.with { try await $0.show(ticket, within: seat.time) }
        guard let found else { throw Failure("there is no ticket \(ticket)") }
        print(seat.json ? jsonLine(found.object) : found.page)
    }
}

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists tickets, newest first.")
    @OptionGroup var seat: SeatOptions
    @Option(help: "Only those in this state: \(names(Ticket.State.self)).", transform: named)
    var state: Ticket.State?
    @Option(help: "Only those of this unit.") var unit: String?
    @Option(help: "Go on from the last ticket of the page before.") var before: TicketID?
    @Option(help: "At most so many, up to 1000.") var limit = 100

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit must be 1 to 1000") }
    }

    func run() async throws {
        let found = try await seat.with {
            try await $0.list(state: state, unit: unit, before: before, limit: limit, within: seat.time)
        }
        for ticket in found { print(seat.json ? jsonLine(ticket.object) : ticket.line) }
    }
}

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Shows all that happened to a ticket.")
    @OptionGroup var seat: SeatOptions
    @Argument var ticket: TicketID

    func run() async throws {
        let rows = try await seat.with { try await $0.history(of: ticket, within: seat.time) }
        guard !rows.isEmpty else { throw Failure("there is no ticket \(ticket)") }
        for row in rows { print(seat.json ? jsonLine(row.object) : row.line) }
    }
}

/// Milliseconds since 1970 as people write times.
private func time(_ milliseconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601)
}

extension Ticket {
    var line: String {
        let firstLine = text.split(separator: "\n").first.map(String.init) ?? ""
        return "\(id)  \(state)  \(time(openedAt))  \(unit.isEmpty ? "–" : unit)  \(category): \(firstLine)"
    }

    fileprivate var page: String {
        var lines = ["ticket    \(id)", "state     \(state)", "opened    \(time(openedAt)) by \(channel)"]
        if !caller.isEmpty { lines.append("caller    \(caller)\(confidential ? " (confidential)" : "")") }
        lines.append("category  \(category)")
        if !district.isEmpty { lines.append("district  \(district)") }
        lines.append("priority  \(priority)")
        if let deadline { lines.append("deadline  \(time(deadline))") }
        if !unit.isEmpty { lines.append("unit      \(unit)") }
        return (lines + ["", text]).joined(separator: "\n")
    }

    var object: [String: Any] {
        [
            "ticket": "\(id)", "state": "\(state)", "opened_at": openedAt, "channel": "\(channel)", "caller": caller,
            "category": category, "district": district, "priority": "\(priority)", "confidential": confidential,
            "text": text, "deadline": deadline as Any? ?? NSNull(), "unit": unit, "revision": revision,
        ]
    }
}

extension HistoryRow {
    var line: String {
        let what = [unit, note].filter { !$0.isEmpty }.joined(separator: ": ")
        return "\(revision)  \(time(at))  \(actor)  \(action) → \(state)  \(what)"
    }

    var object: [String: Any] {
        [
            "ticket": "\(ticket)", "revision": revision, "at": at, "actor": actor, "action": "\(action)",
            "state": "\(state)", "unit": unit, "note": note,
        ]
    }
}
