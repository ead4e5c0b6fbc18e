import Logging
import NIOCore
import Synchronization
import Transport

/// Connections that were refused or ended for what came over them, in the log: each at once when it is the first from
/// there for that reason, and then counted. However many come, the log stays readable, and a new name shows.
final class RefusalLog: Sendable {
    /// Between two lines about the same.
    static let interval = TimeAmount.seconds(5)
    /// So many kinds are told apart; more are counted together.
    private static let kinds = 256

    private struct Kind: Hashable {
        let from: String
        let because: String
    }

    private struct Count {
        /// Since the last line.
        var times = 0
        var said: NIODeadline
    }

    private let log: Logger
    private let state = Mutex<[Kind: Count]>([:])

    init(_ log: Logger) { self.log = log }

    /// - Parameter ended: the connection was open.
    func note(_ address: SocketAddress?, _ error: TransportError, ended: Bool = false) {
        let kind = Kind(from: address?.ipAddress ?? "unknown", because: "\(error)")
        let now = NIODeadline.now()
        let (times, kindToSay) = state.withLock { Self.count(kind, &$0, now) }
        guard let times else { return }
        var metadata: Logger.Metadata = ["from": "\(kindToSay.from)", "because": "\(kindToSay.because)"]
        if times > 1 { metadata["times"] = "\(times)" }
        log.log(
            level: error.isRefusal ? .warning : .info, ended ? "ended a connection" : "refused a connection",
            metadata: metadata)
    }

    /// - Returns: how many times there is to say it; nil: not now.
    private static func count(_ kind: Kind, _ counts: inout [Kind: Count], _ now: NIODeadline) -> (Int?, Kind) {
        var kind = kind
        if counts[kind] == nil, counts.count >= kinds {
            counts = counts.filter { $0.value.times > 0 || now - $0.value.said < interval }
            if counts.count >= kinds { kind = Kind(from: "many", because: "various reasons; look at the network") }
        }
        guard let known = counts[kind] else {
            counts[kind] = Count(said: now)
            return (1, kind)
        }
        if now - known.said < interval {
            counts[kind]?.times += 1
            return (nil, kind)
        }
        counts[kind] = Count(said: now)
        return (known.times + 1, kind)
    }
}

extension TransportError {
    var isRefusalByPeer: Bool { if case .refusedByPeer = self { true } else { false } }

    /// One side did not want the other.
    var isRefusal: Bool {
        switch self {
        case .peerRefused, .refusedByPeer: true
        default: false
        }
    }
}
