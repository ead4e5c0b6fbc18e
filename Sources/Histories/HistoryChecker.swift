/// Knows what a correct history is: what Twinline promises of tickets, of sets and banks and lists kept in tables
/// beside them, and of reads at the standby.
package struct HistoryChecker: Sendable {
    /// How old a standby's answer may be that does not say how old it is, in nanoseconds. Nil: any age.
    package var standbyAgeLimit: Int64?
    /// How many configurations are tried for one ticket, or sums for one snapshot, before it is called undecided. Each
    /// takes some microseconds and some hundred bytes.
    package var effort = 500_000

    package init() {}

    package func check(_ history: History) -> Verdict {
        Verdict(checks: [
            TicketChecker(history, effort: effort).check(), SetChecker(history).check(),
            BankChecker(history, effort: effort).check(), ListChecker(history).check(),
            StandbyChecker(history, ageLimit: standbyAgeLimit).check(),
        ])
    }
}
