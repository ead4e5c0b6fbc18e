import Tickets

/// An operation as people read it.
extension Operation {
    /// As in: note "called again" → open, revision 3.
    package var words: String { "\(call.words) → \(outcomeWords)" }

    private var outcomeWords: String {
        switch outcome {
        case .ok(let answer): answer.words
        case .failed(.notInState(let state)?): "refused: it is \(state)"
        case .failed(let seen?): "refused: \(seen.name)"
        case .failed(nil): "did not happen"
        case .unknown: "nobody knows"
        }
    }
}

extension Call {
    package var words: String {
        switch self {
        case .command(_, let step): step.words
        case .show(_, .latest): "show"
        case .show(_, .standby): "show at the standby"
        case .history: "read the history"
        case .list: "list all tickets"
        case .add(_, let element): "add \(element)"
        case .elements: "read the set"
        case .accounts(let balances): "set up \(balances.count) accounts"
        case .transfer(let from, let to, let amount): "move \(amount) from \(from) to \(to)"
        case .balances(.latest): "read all balances"
        case .balances(.standby): "read all balances at the standby"
        case .transaction(let steps):
            "transaction "
                + Self.some(steps, 8, ", ") { step in
                    switch step {
                    case .append(let key, let value): "\(key) += \(value)"
                    case .read(let key, _): "read \(key)"
                    }
                }
        }
    }

    /// The first ones.
    fileprivate static func some<Element>(
        _ elements: [Element], _ count: Int, _ separator: String, _ words: (Element) -> String
    ) -> String {
        let first = elements.prefix(count).map(words).joined(separator: separator)
        return elements.count > count ? "\(first)\(separator)… (\(elements.count))" : first
    }
}

extension Answer {
    fileprivate var words: String {
        switch self {
        case .done: "done"
        case .advanced(let state, let revision): "\(state), revision \(revision)"
        case .ticket(let sighting): sighting.words
        case .rows(let rows): "\(rows.count) rows: " + Call.some(rows, 6, ", ", \.words)
        case .tickets(let tickets): "\(tickets.count) tickets"
        case .elements(let elements): "{" + Call.some(elements, 10, ", ", \.description) + "}"
        case .balances(let balances):
            "{" + Call.some(balances.sorted { $0.key < $1.key }, 8, ", ") { "\($0.key): \($0.value)" } + "}"
        case .transaction(let steps):
            steps.compactMap { step in
                guard case .read(let key, let elements?) = step else { return nil }
                return "\(key) = [\(Call.some(elements.suffix(8), 8, ", ", \.description))]"
                    + (elements.count > 8 ? " (the last of \(elements.count))" : "")
            }.joined(separator: ", ").ifEmpty("done")
        }
    }
}

extension Sighting {
    fileprivate var words: String {
        let age = age.map { ", at most \($0.asDuration) old" } ?? ""
        let place = position.map { ", at e\($0.epoch):\($0.lsn)" } ?? ""
        return (progress?.words ?? "no such ticket") + age + place
    }
}

extension String {
    fileprivate func ifEmpty(_ other: String) -> String { isEmpty ? other : self }
}
