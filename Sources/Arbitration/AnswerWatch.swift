import NIOCore

/// Since when the other side owes an answer: a connection on which none comes for too long is dead, whatever the system
/// thinks of it. Any answer shows that it lives.
struct AnswerWatch {
    let patience: TimeAmount
    /// When the oldest request was sent since the last answer.
    private(set) var owedSince: NIODeadline?

    init(patience: TimeAmount) { self.patience = patience }

    /// - Returns: whether somebody has to look again, once `patience` is over.
    mutating func asked(at now: NIODeadline) -> Bool {
        guard owedSince == nil else { return false }
        owedSince = now
        return true
    }

    mutating func answered() { owedSince = nil }

    enum Verdict: Equatable {
        case alive
        /// Another request was sent since: look again then.
        case waiting(until: NIODeadline)
        case dead
    }

    /// Whatever was owed when it was decided to look may be answered by now, and something else be owed.
    func verdict(at now: NIODeadline) -> Verdict {
        guard let owedSince else { return .alive }
        return now - owedSince >= patience ? .dead : .waiting(until: owedSince + patience)
    }
}
