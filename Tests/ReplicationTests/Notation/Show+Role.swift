@testable import Replication

/// A role in the words of an operator, with what decides over what it may do.
extension Role {
    var show: String {
        switch self {
        case .standby(let standby): "standby \(standby.phase.show)"
        case .claiming(let claim): "claiming \(claim.number)\(claim.asked ? ", asked" : "")"
        case .primary(let primary):
            "primary \(primary.epoch)\(primary.serving ? "" : " not serving")\(primary.forced ? " forced" : ""), "
                + primary.alone
        case .fenced: "fenced"
        }
    }
}

extension Standby.Phase {
    var show: String {
        switch self {
        case .idle: "idle"
        case .adopting(let epoch): "adopting \(epoch)"
        case .joining(let session): "joining \(session)"
        case .cutting(let session, let lsn): "cutting to \(lsn)" + (session == .none ? "" : " in \(session)")
        case .following(let session): "following \(session)"
        case .fetching: "fetching"
        }
    }
}

extension Primary {
    /// What it is without its standby, or with it.
    fileprivate var alone: String {
        guard let session else { return needsStandby ? "lacks its standby" : "solo" }
        if session.isCatchingUp { return "\(needsStandby ? "needs" : "solo,") \(session.id), catching up" }
        let stands = session.settled ? "settled" : session.acked < session.levelAt ? "not level" : "level"
        let handing = handover.map { $0.asked ? ", has asked it to claim" : ", hands over" } ?? ""
        return "needs \(session.id), \(stands)\(handing)"
    }
}

// The daemon has sentences for these, which would do for `description`; what is compared must not hang on them.

extension FailoverObstacle {
    var show: String {
        switch self {
        case .standbyMissing: "standbyMissing"
        case .standbyCatchingUp(let behind): "standbyCatchingUp(\(behind))"
        case .witnessUnreachable: "witnessUnreachable"
        case .registerUnsettled: "registerUnsettled"
        case .notLeading: "notLeading"
        case .handingOver: "handingOver"
        case .flapping(let milliseconds): "flapping(\(milliseconds))"
        case .foreignWitness(let id): "foreignWitness(\(id.low))"
        case .witnessRefuses(let refusal): "witnessRefuses(\(refusal))"
        case .standbyLacksWitness: "standbyLacksWitness"
        case .standbyFull: "standbyFull"
        case .witnessesDiffer: "witnessesDiffer"
        }
    }
}

extension Replica.AdoptionObstacle {
    var show: String {
        switch self {
        case .notLeading: "notLeading"
        case .handingOver: "handingOver"
        case .standbyMissing: "standbyMissing"
        case .notConnected(let id, let found): "notConnected(\(id.low), \(found.map { "found \($0.low)" } ?? "none"))"
        case .alreadyAdopted: "alreadyAdopted"
        }
    }
}

extension Replica.ForceObstacle {
    var show: String {
        switch self {
        case .leads: "leads"
        case .doesNotLead: "doesNotLead"
        case .needsNobody: "needsNobody"
        case .otherIsThere: "otherIsThere"
        case .witnessAllows: "witnessAllows"
        }
    }
}
