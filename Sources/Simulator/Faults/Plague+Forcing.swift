import Replication

// Two of the three are lost, and a person has the rest go on. The promises P1, P3 and P4 are claimed all the same:
// while the pair was whole both disks held all that was answered, and the lost node is off until it can only follow.
extension Plague {
    func forcedAct(_ lost: SimulatedNode, _ random: SeededRandom) -> Bool {
        begin(wound: lost.host)
        world.mend()
        wait(for: 60_000_000_000, whole()) {
            guard let rest = lost.other.replica, let witness = self.world.witness(rest.record.witness.id) else {
                return self.overcome()
            }
            self.inflict()
            self.lose(lost, witness, random)
        }
        return true
    }

    private func lose(_ node: SimulatedNode, _ witness: SimulatedWitness, _ random: SeededRandom) {
        var random = random
        note("\(node.name) and \(witness.host) are lost, and stay off")
        (node.staysOff, witness.staysOff) = (true, true)
        if random.chance(50) { witness.cutPower(random.pick(PowerLoss.allCases)) } else { witness.end() }
        let loss = random.pick(PowerLoss.allCases)
        let losePower = random.chance(50)
        after(random.below(2) * random.below(1_000_000_000)) {
            if losePower { node.cutPower(loss) } else { node.end() }
            // The nodes' link and the witness may look alive for a while; a person asks again.
            let answered = self.world.ledger.history.count
            self.wait(for: 20_000_000_000, { self.force(node.other, keeping: answered) }) {
                self.goOn(with: node, witness, random)
            }
        }
    }

    private func force(_ node: SimulatedNode, keeping answered: Int) -> Bool {
        guard let replica = node.replica, case .primary = replica.role else {
            guard node.force(.promote) else { return false }
            if world.ledger.history.count < answered {
                world.fail("P1: \(node.name) lacks what the whole pair answered")
            }
            return true
        }
        return node.force(.solo)
    }

    /// Seats are answered by the one that is left; then the others come back, one after the other.
    private func goOn(with node: SimulatedNode, _ witness: SimulatedWitness, _ random: SeededRandom) {
        var random = random
        let before = world.desk.answers
        let nodeFirst = random.chance(50)
        wait(for: 10_000_000_000, { self.world.desk.answers > before + 2 }) {
            self.after(random.below(2_000_000_000)) {
                self.comeBack(node, witness, nodeFirst: nodeFirst)
            }
        }
    }

    /// A node that finds the old register there may claim by it, unless it hears the forced one: so that has joined by
    /// then, or has won the register.
    private func comeBack(_ node: SimulatedNode, _ witness: SimulatedWitness, nodeFirst: Bool) {
        let startNode = {
            node.staysOff = false
            self.note("\(node.name) may come back")
            node.start()
        }
        let startWitness = {
            witness.staysOff = false
            self.note("\(witness.host) may come back")
            witness.start()
        }
        nodeFirst ? startNode() : startWitness()
        let isReady = {
            guard let replica = node.other.replica, case .primary(let primary) = replica.role else { return false }
            return nodeFirst ? primary.session != nil : !replica.lacksRegister
        }
        wait(for: 30_000_000_000, isReady) {
            nodeFirst ? startWitness() : startNode()
            self.recover { if node.isDown { node.start() } }
        }
    }
}

extension SimulatedNode {
    /// A person gives the command. What it lacks of what was answered is lost, and no longer promised.
    @discardableResult
    func force(_ act: Replica.Force) -> Bool {
        guard let process else { return false }
        var obstacle: Replica.ForceObstacle?
        process.step("forced", "forced: \(act)") { obstacle = $0.force(act) }
        if obstacle == nil {
            world.count("forced \(act)")
            world.ledger.forced(process)
        }
        return obstacle == nil
    }
}
