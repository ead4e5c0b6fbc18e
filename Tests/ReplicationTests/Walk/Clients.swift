import Replication

/// A read that was asked of a node and is not answered yet.
struct WaitingRead {
    var wait: Replica.ReadWait
    /// It waits for a round of this epoch.
    var epoch: Epoch
    /// So many entries were answered to somebody before it was asked.
    var answeredBefore: Int
    /// The database must hold everything that was committed when it came.
    var needs: LSN
    var confirmed: Bool
}

extension World {
    /// Clients try their luck with either node, again and again.
    func write(_ name: NodeName) {
        after(random.within(profile.writeEvery)) {
            self.write(name)
            guard !self[name].paused else { return }
            for _ in 0..<self.random.within(1...3) { self[name].write() }
        }
    }

    func read(_ name: NodeName) {
        after(random.within(profile.readEvery)) {
            self.read(name)
            if !self[name].paused { self[name].read() }
        }
    }
}

extension SimulatedNode {
    func write() {
        guard replica?.mayPropose == true, let position = replica?.propose() else { return }
        append([Record(position: position, payload: world.ledger.newPayload())])
        ship()
    }

    func read() {
        guard let answered = replica?.read(), let committed = replica?.committed, let epoch = replica?.epoch
        else { return }
        reads.append(
            WaitingRead(
                wait: answered.wait, epoch: epoch, answeredBefore: world.ledger.history.count, needs: committed,
                confirmed: answered.wait == .none))
        perform(answered.effects, [])
        answerReads()
    }

    func confirmReads(through round: UInt64) {
        answerReads()
        for index in reads.indices {
            if case .round(let needed) = reads[index].wait, needed <= round { reads[index].confirmed = true }
        }
        answerReads()
    }

    /// Once confirmed, a read may be answered whatever becomes of the node; unconfirmed ones end with its leadership.
    func answerReads() {
        let epoch = replica?.epoch
        if replica?.serves != true { reads.removeAll { !$0.confirmed } }
        reads.removeAll { !$0.confirmed && $0.epoch != epoch }
        for read in reads where read.confirmed && read.needs <= applied { world.ledger.answered(read, by: self, world) }
        reads.removeAll { $0.confirmed && $0.needs <= applied }
    }
}
