import FoundationEssentials
import Logging
import NIOCore
import Replication
import Synchronization
import Transport

/// A process's certificate, key, authority and revocation list, read again whenever they change, without a restart.
///
/// Who the process is and whom it trusts are taken up apart: a certificate that is missing or does not fit its key yet
/// must not keep a revocation from taking effect. What can't be taken up leaves everything as it was, and is tried
/// again at every look.
final class CertificateWatch: Sendable {
    private struct State {
        var kinds: [OpenConnections] = []
        /// What was taken up.
        var loaded: FileStamps?
        /// At the last look, good or not.
        var seen: FileStamps
        /// Whose trust was last taken up alone.
        var halfLoaded: FileStamps?
        /// The last one that was logged.
        var fault: TransportError?
        /// Seconds since 1970.
        var warned: Int64?
    }

    /// Between two looks. A change counts once it has stood still from one look to the next, so that nothing is read
    /// while somebody writes; with the half second of `OpenConnections.renew`, a revoked peer is out after 1.5 s.
    static let interval = TimeAmount.milliseconds(500)
    private static let day: Int64 = 86_400

    private let files: TLSFiles
    private let log: Logger
    private let state: Mutex<State>

    init(_ files: TLSFiles, log: Logger) {
        let stamps = FileStamps(files)
        (self.files, self.log) = (files, log)
        state = Mutex(State(loaded: stamps, seen: stamps))
    }

    /// One more kind of connections, with a context from the files as they are now.
    func connections(
        _ side: TLSContext.Side, _ protocols: [ApplicationProtocol]
    ) throws(TransportError) -> OpenConnections {
        let log = log
        let kind = OpenConnections(try TLSContext(side, files, protocols: protocols)) { peer, fault in
            log.notice("ended a connection", metadata: ["of": "\(peer)", "because": "\(fault)"])
        }
        state.withLock { $0.kinds.append(kind) }
        return kind
    }

    /// This process's own certificate. Nil: no kind of connections was asked for yet.
    var own: PeerCertificate? { state.withLock { $0.kinds.first?.context.own } }

    /// When the other node's certificate expires, in seconds since 1970. Nil: it is not connected.
    func expiry(of node: NodeName) -> Int64? {
        state.withLock { $0.kinds }.compactMap { $0.expiry { $0.role == .node(node) } }.max()
    }

    /// Looks from now on, until the task is cancelled or the loop ends.
    @discardableResult
    func start(on loop: any EventLoop) -> RepeatedTask {
        loop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.interval) { _ in
            self.look(at: wallClockNow() / 1000)
        }
    }

    /// - Parameter now: seconds since 1970.
    func look(at now: Int64) {
        state.withLock { state in
            let stamps = FileStamps(files)
            if stamps != state.loaded, stamps == state.seen { takeUp(stamps, &state) }
            state.seen = stamps
            for kind in state.kinds { kind.expire(at: now) }
            remind(at: now, &state)
        }
    }

    /// Somebody who knows that the files are ready asks for it.
    func reread() {
        state.withLock { state in
            state.fault = nil
            takeUp(FileStamps(files), &state)
        }
    }

    private func takeUp(_ stamps: FileStamps, _ state: inout State) {
        do throws(TransportError) {
            try renew(state.kinds, keepingOwn: false)
            (state.loaded, state.fault, state.warned) = (stamps, nil, nil)
            guard let own = state.kinds.first?.context.own else { return }
            log.notice(
                "reread certificate, authority and revocation list", metadata: ["valid-until": "\(own.lastMoment)"])
        } catch {
            state.loaded = nil
            if error != state.fault {
                state.fault = error
                log.error(
                    "can't take up the new certificate; going on with the old one", metadata: ["because": "\(error)"])
            }
            takeUpTrust(stamps, &state)
        }
    }

    private func takeUpTrust(_ stamps: FileStamps, _ state: inout State) {
        guard stamps != state.halfLoaded else { return }
        state.halfLoaded = stamps
        do throws(TransportError) {
            try renew(state.kinds, keepingOwn: true)
            log.notice("reread authority and revocation list; the certificate is the old one")
        } catch {
            log.error("can't take up the new authority or revocation list", metadata: ["because": "\(error)"])
        }
    }

    /// All kinds, or none.
    private func renew(_ kinds: [OpenConnections], keepingOwn: Bool) throws(TransportError) {
        var contexts: [TLSContext] = []
        for kind in kinds { contexts.append(try kind.context.renewed(from: files, keepingOwn: keepingOwn)) }
        for (kind, context) in zip(kinds, contexts) { kind.renew(context) }
    }

    /// Once at the start and once a day.
    private func remind(at now: Int64, _ state: inout State) {
        guard let own = state.kinds.first?.context.own, let warning = expiryWarning(daysLeft: own.daysLeft(at: now)),
            state.warned.map({ abs(now - $0) >= Self.day }) ?? true
        else { return }
        state.warned = now
        log.warning("this certificate \(warning)", metadata: ["valid-until": "\(own.lastMoment)"])
    }
}

/// What to say of a certificate from 30 days before its end on. Nil: nothing yet.
package func expiryWarning(daysLeft: Int64) -> String? {
    guard daysLeft < 30 else { return nil }
    let when =
        switch daysLeft {
        case ..<0: "has expired"
        case 0: "expires within a day"
        case 1: "expires in 1 day"
        default: "expires in \(daysLeft) days"
        }
    return when + ": issue a new one and put it in its place"
}

extension PeerCertificate {
    fileprivate var lastMoment: String { Date(timeIntervalSince1970: Double(notAfter)).formatted(.iso8601) }
}
