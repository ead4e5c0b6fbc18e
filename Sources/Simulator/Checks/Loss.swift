/// How one of the three is lost for good.
enum Loss: CaseIterable {
    case killed, powerless
    /// Its process goes on, and hears nobody: it is heard all the same, for as long as its machine goes on sending.
    case deaf
    /// Its process goes on and hears everybody, and nobody hears it.
    case mute

    var endsProcess: Bool { self == .killed || self == .powerless }
}

extension World {
    /// - Parameter host: a node, or the witness, which stands for all that there are.
    func end(_ host: Host, _ loss: Loss) {
        guard loss.endsProcess else { return }
        note("-- \(host) is lost: \(loss)")
        if host.isWitness { return witnesses.forEach { $0.end() } }
        let node = self[host == .a ? .a : .b]
        if loss == .powerless { node.cutPower(.some) } else { node.end() }
    }

    func silence(_ host: Host, _ loss: Loss) {
        guard !loss.endsProcess else { return }
        note("-- \(host) is lost: \(loss)")
        for host in host.isWitness ? witnesses.map(\.host) : [host] {
            network.silence(host, towardsIt: loss == .deaf)
        }
    }
}
