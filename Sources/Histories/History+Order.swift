extension History {
    /// Invocations and answers of some operations, in their order.
    func eventOrder(where isWanted: (Operation) -> Bool) -> [(index: Int, isAnswer: Bool)] {
        var events: [(line: Int, index: Int, isAnswer: Bool)] = []
        for (index, operation) in operations.enumerated() where isWanted(operation) {
            events.append((operation.invoked.line, index, false))
            if let end = operation.completed { events.append((end.line, index, true)) }
        }
        return events.sorted { $0.line < $1.line }.map { ($0.index, $0.isAnswer) }
    }
}

extension Label: CustomStringConvertible {
    package var description: String {
        switch self {
        case .number(let number): "\(number)"
        case .text(let text): text
        }
    }
}
