@testable import Replication

/// A role in the words of an operator, with what decides over what it may do.
extension Role {
    var show: String {
        switch self {
        case .standby(let standby): "standby \(standby.phase.show)"
        case .claiming(let claim): "claiming \(claim.number)\(claim.asked ? ", asked" : "")"
        case .primary(let primary): "primary \(primary.epoch)\(primary.serving ? "" : " not serving"), \(primary.alone)"
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
        let stands = session.settled ? "settled" : session.acked < session.levelAt ? "not level" : "level"
        let handing = handover.map { $0.asked ? ", has asked it to claim" : ", hands over" } ?? ""
        return "needs \(session.id), \(stands)\(handing)"
    }
}
