import Glibc
import Replication
import Wire

/// Why the log, or a small record beside it, can't go on. After any of them but `full`, `outOfOrder` and `released` the
/// log is closed and every later call throws `closed`.
package enum LogError: Error, Equatable {
    /// What a rule of the format forbids stands where the disk had promised to keep data.
    case damaged(path: String, offset: Int, reason: String)
    case locked(path: String)
    case wrongPair(path: String, expected: RandomID, found: RandomID)
    case newerFormat(path: String, newest: UInt16, found: UInt16)
    case syncFailed(path: String, errno: Int32)
    /// No room on the disk. Nothing is lost: what was appended stays, and the call may be repeated.
    case full(path: String)
    case io(path: String, operation: String, errno: Int32)
    /// An entry that does not follow the log's last one. Nothing of the batch was appended.
    case outOfOrder(after: ChainLink, found: Position, chainBefore: UInt64)
    /// Older than the oldest retained entry.
    case released(LSN, first: LSN)
    /// The node has cut this entry, which was read before, and perhaps written others in its place.
    case changed(path: String, Position)
    case missing(path: String)
    case notADirectory(path: String)
    /// The system's rights, or a file system that is mounted read-only.
    case notAllowed(path: String, errno: Int32)
    case exists(path: String)
    case closed(path: String)
}

extension LogError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .damaged(let path, let offset, let reason):
            "\(path), offset \(offset): \(reason). The disk lost what it had promised to keep; reseed this node"
        case .locked(let path):
            "\(path) is in use by another process; stop that one first"
        case .wrongPair(let path, let expected, let found):
            "\(path) belongs to pair \(found), not to \(expected); check the data directory in the configuration"
        case .newerFormat(let path, let newest, let found):
            "\(path) has format \(found), this program knows up to \(newest); update this node"
        case .syncFailed(let path, let errno):
            "syncing \(path) failed: \(Self.text(errno)). Nobody knows what the disk holds: check it, then reseed"
        case .full(let path):
            "no room on the disk for \(path); make room"
        case .io(let path, let operation, let errno):
            "\(operation) \(path): \(Self.text(errno)); check the disk and the rights of the data directory"
        case .outOfOrder(let after, let found, let chainBefore):
            "entry \(found) (chain \(chainBefore)) does not follow \(after.position) (chain \(after.chain)); join again"
        case .released(let lsn, let first):
            "entry \(lsn) is no longer in the log, which begins at \(first); reseed the standby from a snapshot"
        case .changed(let path, let position):
            "\(path): entry \(position) was cut while the log was read; look again"
        case .missing(let path):
            "\(path) is missing; restore the data directory, or reseed this node"
        case .notADirectory(let path):
            "\(path) is a file, not a directory; check `data` in the configuration"
        case .notAllowed(let path, let errno):
            "\(path) can't be written to: \(Self.text(errno)); give the directory to the user that runs this, and "
                + "check how its file system is mounted"
        case .exists(let path):
            "\(path) exists; a log is created in an empty directory only"
        case .closed(let path):
            "\(path) was closed by an earlier error; restart this node"
        }
    }

    private static func text(_ errno: Int32) -> String { String(cString: strerror(errno)) }
}

/// A place in the log: a position, and the chain value that proves all that came before.
package struct ChainLink: Equatable, Sendable {
    package let position: Position
    package let chain: UInt64

    package init(_ position: Position, chain: UInt64) { (self.position, self.chain) = (position, chain) }
    init(_ entry: EntryHeader) { self.init(entry.position, chain: entry.chain) }

    /// Whether an entry comes right after this place: the next LSN, an epoch not lower, and the chain.
    func precedes(_ position: Position, chainBefore: UInt64) -> Bool {
        position.lsn == self.position.lsn.next && position.epoch >= self.position.epoch && chainBefore == chain
    }
}
