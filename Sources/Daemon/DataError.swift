import DurableLog
import Replication
import Store

/// Why a data directory is not what a node or a witness needs. The text names the path and ends with what to do.
package enum DataError: Error, CustomStringConvertible {
    case cannotCreate(path: String, reason: String)
    case empty(path: String)
    case reseeding(path: String)
    case holdsData(path: String)
    case otherUse(path: String, holds: String)
    case otherPair(path: String, found: String, expected: String)
    case otherNode(path: String, found: NodeName, expected: NodeName)
    case recordMissing(path: String)
    case logBehindDatabase(path: String, applied: Position, log: Position)
    case log(LogError)
    case store(StoreError)

    package var description: String {
        switch self {
        case .cannotCreate(let path, let reason):
            "can't make the data directory \(path): \(reason); check the path and its owner"
        case .empty(let path): "\(path) is empty; run `twinline init` once for the pair"
        case .reseeding(let path): "\(path) is being reseeded, and holds no whole copy yet; start the node"
        case .holdsData(let path): "\(path) holds data already; nothing was changed"
        case .otherUse(let path, let holds):
            "\(path) holds \(holds); nothing was changed; check `data` in the configuration"
        case .otherPair(let path, let found, let expected):
            "\(path) belongs to pair \(found), not \(expected); check `data` and `pair` in the configuration"
        case .otherNode(let path, let found, let expected):
            "\(path) is node \(found)'s, not \(expected)'s; check `data` and `node` in the configuration"
        case .recordMissing(let path):
            "\(path)/record is missing, though there are a log's entries: nobody knows whose they are, nothing was "
                + "changed; restore the file with all the rest, or twinline reseed"
        case .logBehindDatabase(let path, let applied, let log):
            "\(path): the database holds \(applied), the log ends at \(log): the disk lost what was synced; "
                + "twinline reseed"
        case .log(let error): "\(error)"
        case .store(let error): "\(error)"
        }
    }

    package var exitCode: ExitCode {
        switch self {
        case .cannotCreate, .empty, .reseeding, .holdsData, .otherUse, .otherPair, .otherNode: .configuration
        case .logBehindDatabase, .recordMissing: .damaged
        case .log(.damaged), .log(.missing), .store(.damaged), .store(.missing): .damaged
        case .log(.syncFailed): .syncFailed
        case .log(.locked), .log(.full), .store(.diskFull): .temporary
        case .log(.wrongPair), .log(.newerFormat), .log(.notADirectory), .log(.notAllowed): .configuration
        case .store(.newerFormat): .configuration
        case .log, .store: .unexpected
        }
    }
}
