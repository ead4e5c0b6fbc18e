import Replication

/// The hosts of a drill: the nodes', the witness's, and that of all the seats, from which the drill itself looks on.
enum HostName: String, CaseIterable, Sendable {
    case a, b, witness, seats

    init(_ node: NodeName) { self = node == .a ? .a : .b }

    var others: [HostName] { Self.allCases.filter { $0 != self } }

    /// On every network.
    fileprivate var number: Int { (Self.allCases.firstIndex(of: self) ?? 0) + 1 }

    /// The networks with a cable to this host: the two routes, of which the witness has one; and one to look on by.
    var networks: [Network] {
        switch self {
        case .a, .b, .seats: Network.allCases
        case .witness: [.route1]
        }
    }
}

/// A switch with its cables.
enum Network: Int, CaseIterable, Sendable {
    case route1 = 1
    case route2 = 2
    /// For the drill's own questions alone: no fault touches it.
    case watch = 3

    static let routes: [Network] = [.route1, .route2]

    func address(of host: HostName) -> String { "10.81.\(rawValue).\(host.number)" }
    /// The host's end of its cable.
    var device: String { "net\(rawValue)" }
    /// The switch's end.
    func port(of host: HostName) -> String { "\(host.rawValue.prefix(1))\(rawValue)" }
}

/// What goes from one host to another.
struct Direction: Hashable, Sendable {
    var from: HostName
    var to: HostName

    init(_ from: HostName, to: HostName) { (self.from, self.to) = (from, to) }

    static func both(_ one: HostName, _ other: HostName) -> [Direction] {
        [Direction(one, to: other), Direction(other, to: one)]
    }

    /// All that a host says, and all that it hears.
    static func all(of host: HostName) -> [Direction] { host.others.flatMap { both(host, $0) } }
}
