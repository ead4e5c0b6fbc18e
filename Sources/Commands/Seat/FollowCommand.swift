import ArgumentParser
import Foundation
import Seat
import Tickets

struct FollowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow", abstract: "Shows a list and then each change of it, as it happens.",
        discussion: """
            It goes on across failovers, without a gap and without telling anything twice, until it is interrupted. \
            Each line of --json has a mark; with --from and the last one, the next run goes on behind it.
            """)
    @OptionGroup var seat: SeatOptions
    @Option(help: "Only tickets in this state: \(names(Ticket.State.self)).", transform: named)
    var state: Ticket.State?
    @Option(help: "Only those of this unit.") var unit: String?
    @Flag(help: "Only those not completed whose deadline has passed.") var overdue = false
    @Option(help: "Go on behind this mark.") var from: ListMark?

    func run() async throws {
        let filter = ListFilter(state: state, unit: unit, overdue: overdue)
        try await seat.with { client in
            for try await step in client.follow(filter, from: from) {
                let lines =
                    switch step.update {
                    case .list(let tickets): tickets.reversed().map { line("listed", $0.object, $0.line, step.mark) }
                    case .changes(let changes): changes.map { line($0, step.mark) }
                    }
                // Whoever reads it through a pipe waits for it.
                FileHandle.standardOutput.write(Data(lines.map { $0 + "\n" }.joined().utf8))
            }
        }
    }

    private func line(_ change: ListChange, _ mark: ListMark) -> String {
        switch change {
        case .entered(let ticket, _): line("entered", ticket.object, ticket.line, mark)
        case .changed(let row): line("changed", row.object, "\(row.ticket)  \(row.line)", mark)
        case .left(let row): line("left", row.object, "\(row.ticket)  \(row.line)", mark)
        }
    }

    private func line(_ what: String, _ object: [String: Any], _ text: String, _ mark: ListMark) -> String {
        guard seat.json else { return what.padding(toLength: 8, withPad: " ", startingAt: 0) + text }
        return jsonLine(object.merging(["change": what, "mark": mark.text]) { $1 })
    }
}

extension ListMark: ExpressibleByArgument {
    /// Epoch, LSN, changes, time and ticket.
    var text: String { "\(epoch)/\(lsn)/\(changes)/\(time)/\(ticket)" }

    public init?(argument: String) {
        let parts = argument.split(separator: "/").map(String.init)
        guard parts.count == 5, let epoch = UInt64(parts[0]), let lsn = UInt64(parts[1]), let changes = Int(parts[2]),
            let time = Int64(parts[3]), let ticket = TicketID(parts[4]), epoch < 1 << 62, lsn < 1 << 62, changes >= 0
        else { return nil }
        self.init(epoch: epoch, lsn: lsn, changes: changes, time: time, ticket: ticket)
    }
}
