import Daemon
import Replication

/// Cables that carry everything, and late.
extension DrillFault {
    static let cables: [DrillFault] = [delayed(.primary), delayed(.standby), clogged]

    private static func delayed(_ part: PairPart) -> DrillFault {
        DrillFault("delay-\(part)", "whatever the \(part) says or hears takes 40 to 60 ms, each way") { scene in
            try await scene.with(
                Network.routes, of: part.host(scene), ["--delay", "40", "--jitter", "20"],
                "node \(part.host(scene))'s cables become slow"
            ) {
                try await scene.hold(.seconds(3))
                try await scene.waitForAnswers(within: answeredWithin)
            }
        }
    }

    private static let clogged = DrillFault(
        "clog-route-1", "the primary's first cable lets connections come about, and no byte over them, for 2 s"
    ) { scene in
        let host = HostName(scene.primary)
        try await scene.with([.route1], of: host, ["--clog", "2000"], "the primary's route 1 clogs") {
            try await scene.hold(.seconds(2))
            scene.mark("it passes again")
            try await scene.waitForAnswers(within: answeredWithin)
        }
    }

    /// Before seats lose their patience.
    private static let answeredWithin = Duration.seconds(10)
}

extension DrillScene {
    /// Does something while a host's cables are replaced.
    fileprivate func with(
        _ networks: [Network], of host: HostName, _ options: [String], _ words: String, _ work: () async throws -> Void
    ) async throws {
        mark(words)
        for network in networks {
            let log = pair.directory.appending(path: "cable-\(host.rawValue)\(network.rawValue).log")
            replaced.append(try await hosts.replaceCable(of: host, on: network, log: log, options))
        }
        try await work()
        try await putBackCables()
        mend("the cables are as they were")
    }
}
