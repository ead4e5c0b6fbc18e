import Replication

// What nobody promises any more.
extension Ledger {
    /// Its disk was wiped or put back, and may ask again for what it asked before: it counts as a new one (R11), and
    /// what the old one's life left floating was killed when the register last became paired (R3).
    func forgets(_ name: NodeName) {
        forget(name)
        forgetClaims(of: name)
    }

    /// A person made it lead. What it lacks of what was answered is lost: until the other node has joined again P1 and
    /// P3 are not claimed (DESIGN, forced acts).
    func forced(_ process: NodeProcess) {
        let log = process.engine.replica.log
        let isHeld = { (position: Position) in
            position.lsn <= log.base.lsn || log.epoch(at: position.lsn) == position.epoch
        }
        let kept = LSN(UInt64((history.lastIndex(where: isHeld) ?? -1) + 1))
        guard history.count > Int(kept.value) else { return }
        world.note(process, "-- what was answered after \(kept) is lost")
        world.count("entries lost by a forced act", by: history.count - Int(kept.value))
        history.removeLast(history.count - Int(kept.value))
        answered = min(answered, kept)
        answeredAt.removeAll { $0.lsn > kept }
        outcomes = outcomes.filter { $0.value.lsn <= kept }
        sessions = sessions.filter { $0.value <= kept }
        done = done.filter { $0.value.lsn <= kept }
        tickets = tickets.mapValues { $0.filter { $0.lsn <= kept } }.filter { !$0.value.isEmpty }
        world.desk.lost()
    }
}
