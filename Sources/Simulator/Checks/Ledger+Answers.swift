import Engine
import Replication
import Tickets
import Wire

// What seats are told and shown.
extension Ledger {
    /// Its entry is committed.
    func take(_ entry: Entry) {
        let lsn = entry.position.lsn
        for effect in entry.effects {
            if case .sessionOpened(let session) = effect.outcome {
                sessions[session] = lsn
                continue
            }
            if let before = outcomes[effect.name] {
                world.fail("TWICE: request \(effect.name) has an effect at \(before.lsn) and at \(lsn)")
            }
            outcomes[effect.name] = (effect.outcome, lsn)
            guard case .done(let done) = effect.outcome, let command = effect.command else { continue }
            let last = tickets[done.ticket]?.last
            if done.revision != (last?.revision ?? 0) + 1 {
                world.fail("TWICE: ticket \(done.ticket) goes from revision \(last?.revision ?? 0) to \(done.revision)")
            }
            tickets[done.ticket, default: []].append(Change(lsn: lsn, revision: done.revision, state: done.state))
            guard let operation = command.operation else { continue }
            if let before = self.done[operation] {
                world.fail("TWICE: operation \(operation) is done at \(before.lsn) and at \(lsn)")
            }
            self.done[operation] = (lsn, done)
        }
    }

    func answers(_ answer: WriteAnswer, by process: NodeProcess) { given.append(answer) }

    /// After each step: what was said in it rests on what is committed (P1), and the same request is answered the same
    /// ever after (P2); a primary that answers alone has the witness's recorded leave (R1).
    func stepped(_ process: NodeProcess) {
        commit(process)
        if !given.isEmpty { checkAnswers(process) }
        checkDisk(process)
        checkLeaders()
    }

    private func checkAnswers(_ process: NodeProcess) {
        for answer in given {
            let lsn: LSN
            switch answer.outcome {
            case .notNow, .refused(.unknownSession), .refused(.windowExpired): continue
            case .sessionOpened(let session):
                guard let opened = sessions[session] else {
                    world.fail("P1: session \(session) is named before it is committed")
                    continue
                }
                lsn = opened
            default:
                let name = RequestName(session: answer.session, sequence: answer.sequence)
                guard let known = outcomes[name] else {
                    world.fail("P1: request \(name) is answered before it is committed")
                    continue
                }
                if known.outcome != answer.outcome {
                    world.fail("P2: request \(name) was answered \(known.outcome), and now \(answer.outcome)")
                }
                lsn = known.lsn
            }
            counts.answers += 1
            if lsn > answered {
                answered = lsn
                answeredAt.append((world.now, lsn))
            }
            checkLeave(process)
        }
        given = []
    }

    /// Solo is on record before the first answer that rests on it.
    private func checkLeave(_ process: NodeProcess) {
        guard case .primary(let primary) = process.engine.replica.role, !primary.needsStandby, !primary.forced
        else { return }
        let isOnRecord = registers.values.contains {
            $0.mode == .solo && $0.epoch == primary.epoch && $0.primary == process.name
        }
        if !isOnRecord { world.fail("R1: \(process.name) answers alone in \(primary.epoch), without recorded leave") }
    }

    private func checkDisk(_ process: NodeProcess) {
        let replica = process.engine.replica
        if case .standby(let standby) = replica.role, case .cutting = standby.phase { return }
        if replica.synced > durable[process.name].last.lsn {
            world.fail("\(process.name) takes \(replica.synced) for synced, and \(durable[process.name].last) is")
        }
    }

    /// Two nodes never lead without needing each other; a promise that a failover is possible is right (P4, R3).
    private func checkLeaders() {
        var solos = 0
        for node in world.nodes {
            guard let replica = node.replica, case .primary(let primary) = replica.role else { continue }
            if !primary.needsStandby, !primary.forced { solos += 1 }
            guard let session = primary.session, session.settled else { continue }
            let standby = Successor(epoch: primary.epoch, disk: session.disk, starts: session.starts)
            if !named.contains(standby) { world.fail("R3: \(node.name) promises a failover that no register allows") }
        }
        if solos == 2 { world.fail("P4: both lead without needing each other") }
    }

    /// What is shown is what was committed up to the position that it says, no older and no newer; and what is asked of
    /// the primary shows all that had been answered by then (P3).
    func shown(_ view: View, at position: Position, to read: SeatRead, _ before: LSN, by process: NodeProcess) {
        counts.reads += 1
        guard position == .zero || position == committed(at: position.lsn) else {
            return world.fail("P3: \(process.name) shows \(position), which nobody committed")
        }
        switch read.level {
        case .latest:
            if position.lsn < before {
                world.fail("P3: \(process.name) shows \(position), and \(before) had been answered")
            }
        case .atLeast(let wanted):
            if position.lsn < wanted.lsn { world.fail("P3: \(process.name) shows \(position), not \(wanted)") }
        case .standby: break
        }
        switch (read.query, view) {
        case (.show(let id), .ticket(let ticket)): check(ticket, id, at: position, process)
        case (.history(let id), .history(let rows)):
            let expected = change(of: id, at: position)?.revision ?? 0
            if Int64(rows.count) != expected {
                world.fail("P3: \(process.name) shows \(rows.count) rows of \(id) at \(position), not \(expected)")
            }
        case (.list, .tickets(let list)): for ticket in list { check(ticket, ticket.id, at: position, process) }
        default: world.fail("\(process.name) shows what was not asked for")
        }
    }

    /// A standby's answer is no older than it says, as long as its clock went steadily meanwhile (P3).
    func aged(_ age: UInt64, at position: Position, since moment: UInt64, by process: NodeProcess) {
        let real = process.clock.duration(of: age)
        // A session that hears nothing new ends long before.
        let margin = real + 10_000_000_000
        guard process.clock.isSteady(since: moment - min(moment, margin)) else { return }
        world.count("ages held against what had been answered")
        // A nanosecond may be lost in rounding.
        guard real <= moment, let before = answeredAt.last(where: { $0.time + 2 < moment - real }),
            position.lsn < before.lsn
        else { return }
        world.fail(
            "P3: \(process.name) shows \(position), said to be \(age / 1_000_000) ms old, and \(before.lsn) had been "
                + "answered before that")
    }

    private func change(of id: TicketID, at position: Position) -> Change? {
        tickets[id]?.last { $0.lsn <= position.lsn }
    }

    private func check(_ ticket: Ticket?, _ id: TicketID, at position: Position, _ process: NodeProcess) {
        let expected = change(of: id, at: position)
        if ticket?.revision != expected?.revision || ticket?.state != expected?.state {
            world.fail(
                "P3: \(process.name) shows \(id) at \(position) in revision \(ticket?.revision ?? 0), "
                    + "not \(expected?.revision ?? 0)")
        }
    }
}

extension Command {
    /// The number that the simulated seats write into everything.
    var operation: UInt64? {
        switch self {
        case .open(let ticket): UInt64(ticket.caller)
        case .dispatch(_, _, let note), .accept(_, let note), .return(_, let note), .complete(_, let note),
            .note(_, let note):
            UInt64(note)
        }
    }
}
