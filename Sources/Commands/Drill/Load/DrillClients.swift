/// Who asks in a drill, by number in its history: the seats at work; those who look up what was acknowledged, several
/// at a time; and those of whom only some faults have need.
struct DrillClients: Sendable {
    let seats: Int

    static let auditors = 16
    static let takers = 4

    var firstAuditor: Int { seats }
    var firstTaker: Int { seats + Self.auditors }
    /// Who asks in vain, and looks on.
    var probe: Int { firstTaker + Self.takers }
    var count: Int { probe + 1 }
}
