@testable import Replication

/// What the witness may answer: to the question under way or, without one, to a read that this node asks first.
extension Happening {
    static func answers(_ replica: Replica) -> [Happening] {
        var all = [
            Happening("by a cautious witness", variant: "refused") { $0.learns(.refused(.cautious)) },
            Happening("for an earlier start", variant: "refused") { $0.learns(.refused(.earlierStart)) },
            Happening("for an unknown pair", variant: "refused") { $0.learns(.refused(.unknownPair)) },
        ]
        for (name, register) in registers(replica) {
            all.append(Happening(name, variant: "current") { $0.learns(.current(register)) })
            if replica.arbiter.pending != nil {
                all.append(Happening(name, variant: "lost") { $0.learns(.lost(register)) })
            }
        }
        guard replica.arbiter.pending != nil else { return all }
        return all + [
            Happening("won") { $0.witnessSays(.won($0.wouldBeWon)) },
            Happening("won, an earlier question") {
                $0.registerAnswered(RegisterAnswer(number: .none, outcome: .won($0.wouldBeWon)))
            },
            Happening("won, at a version below the known one") {
                var register = $0.wouldBeWon
                register.version -= 2
                return $0.witnessSays(.won(register))
            },
        ]
    }

    /// The register as this node knows it, and as it may be instead.
    private static func registers(_ replica: Replica) -> [(String, Register)] {
        let name = replica.name
        let known = replica.record.register
        let highest = max(known.epoch, replica.record.epoch, replica.record.claimed)
        func changed(_ change: (inout Register) -> Void) -> Register {
            var register = known
            register.version += 1
            change(&register)
            return register
        }
        return [
            ("register as known", known),
            ("register of an older version", changed { $0.version -= 2 }),
            ("register of a new version", changed { _ in }),
            ("register in the other mode", changed { $0.mode = $0.mode == .solo ? .paired : .solo }),
            (
                "register naming the other node",
                changed {
                    ($0.epoch, $0.primary, $0.mode) = (name.other.epoch(above: highest), name.other, .solo)
                }
            ),
            (
                "register naming this node by its last number",
                changed {
                    ($0.epoch, $0.primary, $0.mode) = (replica.record.claimed, name, .solo)
                }
            ),
            (
                "register naming this node by an unknown number",
                changed {
                    ($0.epoch, $0.primary, $0.mode) = (name.epoch(above: highest), name, .solo)
                }
            ),
            ("register with another disk of this node", changed { $0.disks[name] = Stage.spare }),
            ("register with more starts of this node", changed { $0.starts[name] += 1 }),
            (
                "register with a floor above the log",
                changed {
                    $0.floor = Position(replica.log.last.epoch, replica.log.last.lsn.next)
                }
            ),
        ]
    }
}

extension Replica {
    fileprivate mutating func learns(_ outcome: RegisterAnswer.Outcome) -> [Effect] {
        // Any higher epoch that a seat knows makes it ask.
        if arbiter.pending == nil { _ = newerEpochHeard(Epoch(99)) }
        return witnessSays(outcome)
    }

    /// The register after the change that is asked for.
    fileprivate var wouldBeWon: Register {
        var register = record.register
        register.version += 1
        switch arbiter.pending?.asked {
        case .solo: register.mode = .solo
        case .paired: register.mode = .paired
        case .claim(let number): (register.epoch, register.primary, register.mode) = (number, name, .solo)
        case .read, .testimony, .install, nil: break
        }
        return register
    }
}
