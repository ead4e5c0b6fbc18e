import Replication

/// What a game day does to a user's own pair: a list of faults, and the commands that stop and start its parts.
struct GameDayPlan: Equatable, Sendable {
    enum Fault: Equatable, Sendable {
        case switchover
        case stop(PairPart)

        static let all: [Fault] = [.switchover] + [PairPart.standby, .primary, .witness].map(Fault.stop)

        var name: String {
            switch self {
            case .switchover: "switchover"
            case .stop(let part): "stop-\(part)"
            }
        }

        var summary: String {
            switch self {
            case .switchover: "the lead is moved, as for maintenance"
            case .stop(let part): "the \(part) is stopped by your command, and started again"
            }
        }
    }

    /// One for each of a, b and witness.
    typealias Commands = [String: String]

    var faults: [Fault]
    var stop: Commands
    var start: Commands

    static let places = ["a", "b", "witness"]

    /// - Parameter names: with commas between them; nil: a switchover, and what there are commands for.
    /// - Parameter stop: each as in "a=ssh host-a systemctl kill -s KILL twinline-node@a"; likewise start.
    /// - Throws: `Failure` that says what is missing or wrong.
    init(faults names: String?, stop: [String], start: [String]) throws {
        self.stop = try Self.commands(stop, "--stop")
        self.start = try Self.commands(start, "--start")
        guard let names else {
            let (stop, start) = (self.stop, self.start)
            faults = Fault.all.filter { Self.missing($0, stop, start).isEmpty }
            return
        }
        faults = try names.split(separator: ",").map { name in
            let name = name.trimmingPrefix { $0 == " " }
            guard let fault = Fault.all.first(where: { $0.name == name }) else {
                throw Failure(
                    "'\(name)' is no fault of a game day; there are "
                        + Fault.all.map(\.name).joined(separator: ", ")
                        + ". The others take hosts of the drill's own: leave --config away")
            }
            return fault
        }
        for fault in faults {
            let missing = Self.missing(fault, self.stop, self.start)
            guard missing.isEmpty else {
                throw Failure("\(fault.name) needs a command for each of \(missing.joined(separator: ", "))")
            }
        }
    }

    private static func commands(_ texts: [String], _ option: String) throws -> Commands {
        var commands: Commands = [:]
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, places.contains(parts[0]), !parts[1].allSatisfy(\.isWhitespace) else {
                throw Failure(
                    "\(option) '\(text)': write a, b or witness, then = and a command, such as "
                        + "\(option) a='ssh host-a systemctl restart twinline-node@a'")
            }
            guard commands.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw Failure("\(option) \(parts[0])=… is there twice")
            }
        }
        return commands
    }

    /// Either node may be primary by then.
    private static func missing(_ fault: Fault, _ stop: Commands, _ start: Commands) -> [String] {
        let places: [String] =
            switch fault {
            case .switchover: []
            case .stop(.primary), .stop(.standby): ["a", "b"]
            case .stop(.witness): ["witness"]
            }
        return places.filter { stop[$0] == nil }.map { "--stop \($0)" }
            + places.filter { start[$0] == nil }.map { "--start \($0)" }
    }

    /// What would be done if node `primary` led.
    func steps(primary: NodeName) -> [String] {
        var primary = primary
        var steps: [String] = []
        for (number, fault) in faults.enumerated() {
            var lines: [String]
            switch fault {
            case .switchover:
                lines = ["ask node \(primary) to hand over to node \(primary.other)"]
                primary = primary.other
            case .stop(let part):
                let place = part == .witness ? "witness" : "\(part == .primary ? primary : primary.other)"
                lines = [
                    "run: \(stop[place] ?? "")",
                    part == .primary
                        ? "wait until node \(primary.other) leads and seats are answered"
                        : "wait until the pair goes on without it and seats are answered",
                    "run: \(start[place] ?? "")",
                ]
                if part == .primary { primary = primary.other }
            }
            lines.insert("wait until a failover is possible", at: 0)
            steps.append("\(number + 1). \(fault.name): \(fault.summary)")
            steps += lines.map { "     \($0)" }
        }
        return steps + ["Then wait until a failover is possible, and compare both nodes' tables at one entry."]
    }
}
