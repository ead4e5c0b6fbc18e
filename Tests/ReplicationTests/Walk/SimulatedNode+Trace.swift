import Replication

extension SimulatedNode {
    var roleName: String { replica.map { $0.role.show } ?? "dead" }

    /// time  node role epoch appended/synced/committed/applied  fact -> effects
    func trace(_ what: String, _ effects: [Effect]) {
        guard let replica else { return }
        let state =
            "\(name) \(roleName) \(replica.epoch) "
            + "\(replica.log.last.lsn)/\(replica.synced)/\(replica.committed)/\(replica.applied)"
        if what == "tick" && effects.allSatisfy({ if case .send = $0 { true } else { false } }) { return }
        world.note(state + "  " + what + (effects.isEmpty ? "" : " -> " + effects.map(\.show).joined(separator: "; ")))
    }
}
