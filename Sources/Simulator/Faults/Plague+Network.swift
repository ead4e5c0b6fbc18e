import Replication

// What goes wrong between machines.
extension Plague {
    /// The links that there are: between the nodes, of each to the witness, of each to the seats.
    private enum LinkName: String, CaseIterable { case nodes, aToWitness, bToWitness, aToSeats, bToSeats }

    private func pairs(of link: LinkName) -> [(Host, Host)] {
        let seats = world.seats.map(\.host)
        return switch link {
        case .nodes: [(.a, .b)]
        case .aToWitness: [(.a, .witness(0)), (.a, .witness(1))]
        case .bToWitness: [(.b, .witness(0)), (.b, .witness(1))]
        case .aToSeats: seats.map { (.a, $0) }
        case .bToSeats: seats.map { (.b, $0) }
        }
    }

    func strikeNetwork(_ kind: Fault.Kind, _ random: inout SeededRandom) -> Bool {
        switch kind {
        case .cutLinks, .clog:
            // Every set of links, each way or both, on one route or both.
            let mask = random.within(1...31)
            let way = random.below(3)
            let routes = random.chance(60) ? Array(0..<Network.routes) : [Int(random.below(UInt64(Network.routes)))]
            let links = LinkName.allCases.enumerated().filter { mask >> UInt64($0.offset) & 1 == 1 }.map(\.element)
            let ways = ["both ways", "there", "back"][Int(way)]
            note("\(kind == .clog ? "clogged" : "cut"): \(links.map(\.rawValue)), \(ways), \(routes)")
            for link in links {
                // Each is mended at a time of its own.
                let time = random.within(20_000_000...5_000_000_000)
                for (one, other) in pairs(of: link) {
                    for route in routes {
                        if way != 2 { block(kind, one, other, route, time) }
                        if way != 1 { block(kind, other, one, route, time) }
                    }
                }
            }
        case .slowPath:
            let link = random.pick(LinkName.allCases)
            let extra = random.within(1_000_000...400_000_000)
            let time = random.within(200_000_000...5_000_000_000)
            note("slow by \(extra / 1_000_000) ms: \(link.rawValue)")
            for (one, other) in pairs(of: link) {
                slow(from: one, to: other, by: extra, for: time)
                slow(from: other, to: one, by: extra, for: time)
            }
        case .breakConnections:
            let link = random.pick(LinkName.allCases)
            note("connections break: \(link.rawValue)")
            for (one, other) in pairs(of: link) { world.network.breakConnections(between: one, and: other) }
        default:
            let host = random.pick([.a, .b, .witness(0)] + world.seats.map(\.host))
            note("\(host)'s certificate has expired")
            world.network.setExpired(host, true)
            after(random.within(200_000_000...5_000_000_000)) { self.world.network.setExpired(host, false) }
        }
        return true
    }

    func slow(from: Host, to: Host, by extra: UInt64, for time: UInt64) {
        for route in 0..<Network.routes {
            world.network.change(from: from, to: to, route) { $0.extra = extra }
            after(time) { self.world.network.change(from: from, to: to, route) { $0.extra = 0 } }
        }
    }

    func block(_ kind: Fault.Kind, _ from: Host, _ to: Host, _ route: Int, _ time: UInt64) {
        world.network.change(from: from, to: to, route) { path in
            if kind == .clog { path.isClogged = true } else { path.isCut = true }
        }
        after(time) {
            self.world.network.change(from: from, to: to, route) { path in
                if kind == .clog { path.isClogged = false } else { path.isCut = false }
            }
        }
    }
}
