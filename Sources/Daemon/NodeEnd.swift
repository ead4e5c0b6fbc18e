import Engine
import Logging
import Replication

/// Why a node no longer runs.
enum NodeEnd: Sendable {
    case exit(ExitCode)
    /// It needs a copy of the other node's database, and runs again with that.
    case reseed
    /// The same, and what its log holds after this position is to be set aside first: the other's does not, and up to
    /// `applied` it was answered.
    case salvage(after: Position, applied: LSN)

    init(_ reason: HaltReason, _ log: Logger) {
        switch reason {
        case .reseedNeeded:
            log.warning("the other node's log no longer reaches back to this one's; a copy of its database is needed")
            self = .reseed
        case .violation(.cutBelowApplied(let common, let applied)):
            log.critical(
                "rejoining would undo what this node has answered; it is set aside, and then this node is reseeded",
                metadata: ["common": "\(common)", "applied": "\(applied)"])
            self = .salvage(after: common, applied: applied)
        case .violation(let violation): self = .exit(Self.broken(violation, log))
        case .chainDiffers(let position):
            log.critical(
                "the two logs differ below a position that both hold; twinline reseed, on one node",
                metadata: ["position": "\(position)"])
            self = .exit(.promiseBroken)
        case .worker(let failure): self = .exit(Self.failed(failure, log))
        }
    }

    private static func broken(_ violation: Violation, _ log: Logger) -> ExitCode {
        log.critical(
            "the pair broke a promise; look at both nodes' logs before starting either",
            metadata: ["violation": "\(violation)"])
        return .promiseBroken
    }

    private static func failed(_ failure: WorkerFailure, _ log: Logger) -> ExitCode {
        switch failure {
        case .syncFailed(let text): log.critical("\(text)"); return .syncFailed
        case .damaged(let text): log.critical("\(text)"); return .damaged
        case .copiesDiffer(let text): log.critical("\(text)"); return .promiseBroken
        case .diskFull(let text): log.critical("\(text)"); return .temporary
        case .failed(let text): log.critical("\(text)"); return .unexpected
        }
    }
}
