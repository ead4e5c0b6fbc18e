/// What can be wrong with a history, by the names of the literature: Adya, Liskov and O'Neil, "Generalized Isolation
/// Level Definitions" (ICDE 2000) for G0 to G2; Berenson et al., "A Critique of ANSI SQL Isolation Levels" (SIGMOD
/// 1995) for lost updates and skews; Sovran et al., "Transactional storage for geo-replicated systems" (SOSP 2011) for
/// the long fork.
package enum Anomaly: String, Hashable, Sendable, CaseIterable {
    /// Answered "done", and not to be found.
    case lost = "lost"
    /// Asked for once, there twice.
    case duplicated = "duplicated"
    /// There, and nobody had asked for it.
    case phantom = "phantom"
    /// Answered "did not happen", and there.
    case abortedRead = "aborted read (G1a)"
    /// What a transaction wrote and overwrote itself was seen by another.
    case intermediateRead = "intermediate read (G1b)"
    /// Seen, answered to nobody, and gone later: it was shown before it was sure.
    case dirtyRead = "dirty read"
    /// A read that began after an answer does not show it.
    case staleRead = "stale read"
    /// Two changed the same state, each as if the other had not been there.
    case lostUpdate = "lost update"
    case writeCycle = "write cycle (G0)"
    case circularFlow = "circular information flow (G1c)"
    case readSkew = "read skew (G-single)"
    case writeSkew = "write skew (G2)"
    /// Two reads saw two writes in opposite orders.
    case longFork = "long fork"
    case antiDependencyCycle = "cycle of anti-dependencies (G2)"
    /// Two reads of one list of which neither begins with the other.
    case incompatibleOrders = "incompatible orders"
    /// A transaction does not see what it wrote itself.
    case internalInconsistency = "internal inconsistency"
    /// The answers contradict the order in which things happened, though not each other.
    case realTimeCycle = "cycle through real time"
    /// A snapshot's total is not that of all money there is.
    case wrongTotal = "wrong total"
    /// A balance that no transfers could have led to.
    case wrongBalance = "wrong balance"
    /// The standby's answer is older than it says itself, or than it may be.
    case tooOld = "older than promised"
    /// None of the above, and yet no order of the operations explains the answers.
    case notLinearizable = "not linearizable"
}

/// One thing that is wrong.
package struct Violation: Equatable, Sendable {
    package var anomaly: Anomaly
    /// Such as "ticket 0132…" or "lists x and y".
    package var subject: String
    /// A sentence: why these operations can't all be right.
    package var explanation: String
    /// As few as contradict each other, by their index in the history, in the order of the explanation.
    package var operations: [Int]

    package init(_ anomaly: Anomaly, _ subject: String, _ explanation: String, _ operations: [Int]) {
        (self.anomaly, self.subject) = (anomaly, subject)
        (self.explanation, self.operations) = (explanation, operations)
    }
}

/// What one of the checks found.
package struct CheckResult: Equatable, Sendable {
    package enum Subject: String, Sendable, CaseIterable {
        case tickets, sets, bank, lists, standby
    }

    package var subject: Subject
    /// How many operations it looked at. With none, it says nothing.
    package var operations = 0
    package var violations: [Violation] = []
    /// What could not be decided, and why.
    package var undecided: [String] = []
    /// What else is worth knowing.
    package var remark = ""

    package init(_ subject: Subject) { self.subject = subject }
}

package struct Verdict: Equatable, Sendable {
    package var checks: [CheckResult]

    package var violations: [Violation] { checks.flatMap(\.violations) }
    package var undecided: [String] { checks.flatMap(\.undecided) }
    /// Nothing is wrong, and nothing was left open.
    package var isGood: Bool { violations.isEmpty && undecided.isEmpty }
}
