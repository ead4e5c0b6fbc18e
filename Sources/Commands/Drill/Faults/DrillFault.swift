import Replication

/// One thing that goes wrong in a drill, and is mended again.
struct DrillFault: Sendable {
    enum Weight: Sendable {
        /// One of what the pair promises to bear: seats see a pause and no error.
        case one
        /// Two are lost at once, and writes have to wait or are refused, clearly; nothing is lost even so.
        case two
    }

    let name: String
    /// A line for people.
    let summary: String
    let weight: Weight
    /// Whether it is done when no others are asked for.
    let isUsual: Bool
    /// Breaks something, says so, waits for what is to follow, and mends it.
    let carryOut: @Sendable (DrillScene) async throws -> Void

    init(
        _ name: String, _ summary: String, weight: Weight = .one, isUsual: Bool = false,
        _ carryOut: @escaping @Sendable (DrillScene) async throws -> Void
    ) {
        (self.name, self.summary, self.weight) = (name, summary, weight)
        (self.isUsual, self.carryOut) = (isUsual, carryOut)
    }

    static let all =
        processes + outages + power + network + cables + disks + clocks + maintenance + certificates
    static let usual = all.filter(\.isUsual)

    /// - Parameter names: with commas between them.
    /// - Throws: `Failure` that names the one that there is not.
    static func named(_ names: String) throws -> [DrillFault] {
        try names.split(separator: ",").map { name in
            let name = name.trimmingPrefix { $0 == " " }
            guard let fault = all.first(where: { $0.name == name }) else {
                throw Failure("'\(name)' is no fault; see twinline drill --list")
            }
            return fault
        }
    }

    static var list: String {
        let width = all.map(\.name.count).max() ?? 0
        return all.map { fault in
            (fault.isUsual ? "* " : "  ") + fault.name.padding(toLength: width, withPad: " ", startingAt: 0) + "  "
                + fault.summary + (fault.weight == .two ? " (two lost at once)" : "")
        }.joined(separator: "\n") + "\n* are done when none are named."
    }
}

/// A part of the pair by what it is at the moment when a fault begins.
enum PairPart: String, CaseIterable, Sendable {
    case primary, standby, witness

    func host(_ pair: DrilledPair) -> HostName {
        switch self {
        case .primary: HostName(pair.primary)
        case .standby: HostName(pair.standby)
        case .witness: .witness
        }
    }
}
