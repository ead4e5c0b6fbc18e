import Replication

// Everything is as it should be.
extension World {
    /// Whatever is broken is mended: but for the one that is lost for good.
    func mend(but lost: Host? = nil) {
        note("-- all is mended\(lost.map { " but \($0)" } ?? "")")
        network.heal()
        profile.calm()
        for node in nodes where node.host != lost {
            node.disk.freeBytes = .max
            node.disk.crashAfter = .max
            node.disk.nextSyncFails = false
            node.clock.set(rate: 1000, at: now)
            if let process = node.process {
                process.effectsLeft = .max
                process.log.slow = (0, 0)
                (process.database.stuckFor, process.database.busyFor) = (nil, nil)
            }
            node.resume()
            // A disk or a database that is stuck is a loss, too.
            node.process?.hurry()
            if node.isDown { node.start() }
        }
        for witness in witnesses where witness.host != lost {
            network.frozen[witness.host.number] = false
            witness.process?.resume()
            witness.start()
        }
    }

    /// Paired, and a failover is possible.
    var isSettled: Bool {
        nodes.contains { $0.process?.isPaused == false && $0.replica != nil && $0.replica?.failoverObstacle == nil }
            && nodes.allSatisfy { $0.process != nil }
    }

    /// So whole that any one loss more can be borne: settled, and the witness has it on a record that it trusts.
    var isWhole: Bool {
        guard isSettled, let leader = nodes.first(where: { $0.replica?.failoverObstacle == nil })?.replica,
            case .primary(let primary) = leader.role, let standby = self[leader.name.other].replica,
            let witness = self.witness(leader.record.witness.id), let core = witness.process?.core,
            witness.process?.isPaused == false, core.cautious.isEmpty, let register = core.register(of: pair)
        else { return false }
        return register.mode == .paired && register.epoch == primary.epoch && register.primary == leader.name
            && register.disks[leader.name] == leader.record.disk && register.disks[standby.name] == standby.record.disk
            && standby.follows(primary) && !standby.lacksWitness && !leader.lacksWitness
            && nodes.allSatisfy { $0.process?.isPaused == false }
    }

    /// A standby's and a primary's databases hold the same.
    var isLevel: Bool {
        guard let a = nodes[0].replica, let b = nodes[1].replica else { return false }
        return isSettled && a.applied == b.applied && a.applied == a.log.last.lsn && b.applied == b.log.last.lsn
    }
}

extension Replica {
    /// The witness has not heard it since it last started, or does not answer.
    fileprivate var lacksWitness: Bool { !witnessIsThere || arbiter.refusal != nil }

    fileprivate func follows(_ primary: Primary) -> Bool {
        guard case .standby(let standby) = role, standby.follows else { return false }
        return epoch == primary.epoch && standby.session == primary.session?.id
    }
}
