import Daemon
import Replication

/// One end of a cut link, by what it is when the fault begins.
private enum End: String {
    case primary, standby, witness, seats

    func host(_ scene: DrillScene) -> HostName {
        switch self {
        case .primary: HostName(scene.primary)
        case .standby: HostName(scene.standby)
        case .witness: .witness
        case .seats: .seats
        }
    }
}

extension DrillFault {
    static let network: [DrillFault] = links + lonely + routes + seatRoutes

    private static let routes: [DrillFault] = [
        route(.route1), route(.route2),
        flapping("flap-link", times: 2, isUsual: true), flapping("flap-link-minute", times: 15, isUsual: false),
    ]

    private static let links: [DrillFault] =
        between(.primary, .standby, isUsual: true) + between(.primary, .witness) + between(.standby, .witness)
        + between(.seats, .primary) + between(.seats, .standby)

    /// Both ways, and each way alone.
    private static func between(_ one: End, _ other: End, isUsual: Bool = false) -> [DrillFault] {
        let both = link("cut-\(one)-\(other)", "nothing passes between \(one) and \(other)", isUsual) {
            Direction.both(one.host($0), other.host($0))
        }
        let there = link("cut-\(one)-to-\(other)", "nothing passes from \(one) to \(other)", isUsual) {
            [Direction(one.host($0), to: other.host($0))]
        }
        let back = link("cut-\(other)-to-\(one)", "nothing passes from \(other) to \(one)", false) {
            [Direction(other.host($0), to: one.host($0))]
        }
        return [both, there, back]
    }

    private static let lonely: [DrillFault] = alone(.primary, isUsual: true) + alone(.standby) + alone(.witness)

    private static func alone(_ end: End, isUsual: Bool = false) -> [DrillFault] {
        let isolated = link("isolate-\(end)", "the \(end) is cut off from everybody", isUsual) {
            Direction.all(of: end.host($0))
        }
        let mute = link("mute-\(end)", "nobody hears the \(end)", false) { scene in
            end.host(scene).others.map { Direction(end.host(scene), to: $0) }
        }
        let deaf = link("deafen-\(end)", "the \(end) hears nobody", false) { scene in
            end.host(scene).others.map { Direction($0, to: end.host(scene)) }
        }
        return [isolated, mute, deaf]
    }

    /// So long a link stays cut: well past every time limit of the pair.
    private static let cutFor = Duration.seconds(3)

    /// Then seats have to be answered, or it is given up: before they lose their patience.
    private static let answeredWithin = Duration.seconds(10)

    private static func link(
        _ name: String, _ summary: String, _ isUsual: Bool,
        _ directions: @escaping @Sendable (DrillScene) -> [Direction]
    ) -> DrillFault {
        DrillFault(name, summary, isUsual: isUsual) { scene in
            let directions = directions(scene)
            scene.mark(summary)
            try await scene.hosts.cut(directions)
            try await scene.hold(Self.cutFor)
            try await scene.waitForAnswers(within: Self.answeredWithin)
            try await scene.hosts.mend(directions)
            scene.mend("all passes again")
        }
    }

    private static func route(_ network: Network) -> DrillFault {
        DrillFault(
            "lose-route-\(network.rawValue)",
            "a switch goes dark: nobody has this route any more"
                + (network == .route1 ? ", and the witness has no other" : ""), isUsual: network == .route2
        ) { scene in
            let all = HostName.allCases.flatMap { Direction.all(of: $0) }
            scene.mark("route \(network.rawValue) goes dark")
            try await scene.hosts.cut(all, on: [network])
            try await scene.hold(Self.cutFor)
            try await scene.waitForAnswers()
            try await scene.hosts.mendAll()
            scene.mend("route \(network.rawValue) is back")
        }
    }

    private static func flapping(_ name: String, times: Int, isUsual: Bool) -> DrillFault {
        DrillFault(
            name, "the link between the nodes is there for 2 s, gone for 2 s, \(times) times", isUsual: isUsual
        ) { scene in
            let link = Direction.both(.a, .b)
            for time in 1...times {
                scene.mark("the nodes' link goes down (\(time))")
                try await scene.hosts.cut(link)
                try await scene.hold(.seconds(2))
                try await scene.hosts.mend(link)
                scene.mend("and up (\(time))")
                if time < times { try await scene.hold(.seconds(2)) }
            }
        }
    }
}
