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
    /// One that does not lead and has more than the other says so for as long as it is heard, and those entries come
    /// first (rule R6): that it hears nobody is a second loss, beside that which took the lead from it.
    func isOneLoss(_ host: Host, _ loss: Loss) -> Bool {
        guard loss == .deaf, host.isNode else { return true }
        let lost = self[host == .a ? .a : .b]
        return lost.replica?.serves == true
            || ledger.durable[lost.name].last.lsn <= ledger.durable[lost.name.other].last.lsn
    }

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
