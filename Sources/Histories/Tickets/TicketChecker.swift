import Tickets

/// Linearizability, ticket by ticket: each answer fits some order of all that was asked of the ticket.
struct TicketChecker {
    private let history: History
    private let effort: Int
    private var result = CheckResult(.tickets)

    init(_ history: History, effort: Int) { (self.history, self.effort) = (history, effort) }

    consuming func check() -> CheckResult {
        let records = self.records()
        for record in records {
            let wrongRows = TicketRows(record, history).check()
            result.violations += wrongRows
            // Of a ticket whose rows are wrong, everything else would be, too.
            if wrongRows.isEmpty { check(record) }
        }
        result.remark = records.count == 1 ? "1 ticket" : "\(records.count) tickets"
        return result
    }

    private mutating func records() -> [TicketRecord] {
        var places: [TicketID: Int] = [:]
        var records: [TicketRecord] = []
        for (index, operation) in history.operations.enumerated() {
            guard let ticket = operation.call.ticket, operation.call != .show(ticket, .standby) else { continue }
            result.operations += 1
            if places[ticket] == nil {
                places[ticket] = records.count
                records.append(TicketRecord(ticket))
            }
            if let place = places[ticket] { records[place].add(operation, index) }
        }
        return records
    }

    private mutating func check(_ record: TicketRecord) {
        var linearizer = Linearizer(record, effort: effort)
        switch linearizer.run() {
        case .linearizable: break
        case .undecided:
            result.undecided.append(
                "ticket \(record.ticket): \(record.items.count) operations allow of more orders than could be tried")
        case .impossible(let item, let states):
            result.violations.append(Contradiction(record, at: item, states).violation)
        }
    }
}
