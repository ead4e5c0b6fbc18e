import Planted
import Replication
import Wire

/// The write path: one batch is in the open transaction, executed, then proposed, then committed on both disks, and
/// only then COMMITted and answered. The next one gathers meanwhile.
struct Writes {
    /// Executed, and not yet given a place in the log.
    var held: ExecutedBatch?
    /// In the log, and its transaction open.
    var proposed: (position: Position, answers: [WriteAnswer])?
    /// Everything up to here the database has been ordered to commit.
    var ordered: LSN
    /// The entries from `ordered` on are being read from the log.
    var reading = false
}

extension NodeEngine {
    func executed(_ batch: ExecutedBatch) {
        work &+= 1
        guard replica.serves, batch.reign == reign || planted("takeABatchOfAnEarlierReign") else {
            return deliver(batch.answers.map(\.notPrimary))
        }
        guard batch.changes != nil else { return answerUnchanged(batch) }
        if planted("refuseBeforeCommit") { deliver(batch.answers.filter { $0.isRefusal }) }
        writes.held = batch
        run { _ in [] }
    }

    /// Nothing changed: all of it rests on what the database holds, or doesn't. So it is answered like a read (rule
    /// R9).
    private func answerUnchanged(_ batch: ExecutedBatch) {
        if planted("answerAbsenceWithoutARound") { return deliver(batch.answers) }
        var wait: Replica.ReadWait?
        run {
            guard let (found, effects) = $0.read() else { return [] }
            wait = found
            return effects
        }
        switch wait {
        case nil: giveUp(batch)
        case .none?: deliver(batch.answers)
        case .round(let round)?: reads.answers.append((round, batch.answers))
        }
    }

    private func giveUp(_ batch: ExecutedBatch) {
        if batch.changes != nil { database.rollback() }
        deliver(batch.answers.map(\.notPrimary))
    }

    func proposeHeld() {
        guard let batch = writes.held, let changes = batch.changes, !standbyIsBehind, let position = propose()
        else { return }
        writes.held = nil
        writes.proposed = (position, batch.answers)
        appendOwn(position, batch.kind, changes, batch.digest)
    }

    /// The role is lost. The entry may be in the log, and may be committed yet: then it is applied from there.
    func abandonBatch() {
        if let batch = writes.held { giveUp(batch) }
        if let proposed = writes.proposed {
            database.rollback()
            deliver(proposed.answers.map(\.notPrimary))
        }
        (writes.held, writes.proposed) = (nil, nil)
    }

    /// Orders the database to commit what the replica says is committed, and gives the answers: they need not wait for
    /// the database's own COMMIT, since a read waits until all is applied that was committed when it came.
    func orderCommits() {
        while writes.ordered < replica.committed, !writes.reading {
            if let proposed = writes.proposed, proposed.position.lsn == writes.ordered.next {
                writes.ordered = proposed.position.lsn
                writes.proposed = nil
                // First: a seat waits for these, and nobody yet for the COMMIT.
                deliver(proposed.answers)
                database.commit(proposed.position)
                continue
            }
            let from = writes.ordered.next
            // Up to, not through, the open batch.
            var last = replica.committed
            if let proposed = writes.proposed { last = min(last, LSN(proposed.position.lsn.value - 1)) }
            if let frames = cache.entries(from: from, through: last, maxBytes: Shipping.chunk) {
                orderApply(frames)
            } else {
                writes.reading = true
                log.read(from: from, maxBytes: Shipping.chunk, for: .applying)
            }
        }
    }

    private func orderApply(_ frames: [EntryFrame]) {
        guard let last = frames.last else { return }
        database.apply(frames)
        writes.ordered = last.position.lsn
    }

    func entriesRead(_ frames: [EntryFrame], _ purpose: ReadPurpose) {
        switch purpose {
        case .applying:
            writes.reading = false
            let wanted = frames.filter {
                $0.position.lsn > writes.ordered && $0.position.lsn <= replica.committed
                    && $0.position.lsn != writes.proposed?.position.lsn
            }
            orderApply(wanted)
            orderCommits()
            takeRequests()
        case .shipping:
            shipping?.reading = false
            sendChunk(frames)
            pump()
        case .lending:
            guard case .standby = replica.role else { return }
            let run = Run(frames)
            let message = Message(replica.epoch, .none, .fetched(run, last: frames.last?.position ?? .zero))
            shell.send(PeerEnvelope(message, frames: frames, pair: pair), everywhere: false)
        }
    }
}

extension WriteAnswer {
    fileprivate var isRefusal: Bool { if case .refused = outcome { true } else { false } }

    var notPrimary: WriteAnswer {
        var answer = self
        answer.outcome = .notNow(.notPrimary)
        return answer
    }
}
