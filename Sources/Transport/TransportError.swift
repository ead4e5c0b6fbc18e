import NIOCore

/// Why there is no connection, or no longer one. Every function and channel of this module fails with this type alone.
package enum TransportError: Error, Equatable {
    // This side's own means.

    /// A file named in the configuration can't be used.
    case cannotLoad(what: String, path: String, reason: String)
    /// OpenSSL failed at something that has nothing to do with the peer.
    case openSSL(String)
    case cannotBind(address: String, reason: String)

    // Dialling. The first two are what failover goes by.

    /// Nobody listens there: the process is dead and its machine alive.
    case connectionRefused(address: String)
    /// Silence: no answer in time, or no route.
    case noAnswer(address: String, reason: String)
    case cannotDial(address: String, reason: String)

    // The handshake.

    /// This side refused the peer.
    /// - Parameter of: the URI name that the peer's certificate claims, if it has shown one; not to be believed unless
    ///   the fault leaves the certificate itself alone.
    case peerRefused(PeerFault, of: String? = nil)
    /// The peer refused this side: the text is its TLS alert, or what it said (`Refusal`).
    /// - Parameter own: the name of this side's certificate.
    case refusedByPeer(alert: String, own: String? = nil)
    /// Also how a stopped process looks: its system still takes connections for it.
    case handshakeTimedOut(seconds: Int64)
    case handshakeTooLong(limit: Int)
    /// The peer went away, or broke TLS, before it was known.
    case handshakeBroken(String)
    /// Too many others wait as well, and most of them come from where this one does.
    case crowdedOut(limit: Int)

    // The connection.

    /// It ended without TLS's own goodbye: cut, or the peer's process died.
    case truncated
    /// Bytes that are not what the peer's key made.
    case broken(String)
    case frameTooLong(length: Int, limit: Int)
    /// A frame that began and did not end in its time, or a peer that never began one.
    case frameTimedOut(seconds: Int64)
    /// The peer reads too slowly.
    case unsentTooLong(bytes: Int, limit: Int)
    /// A read or write failed in the system.
    case lost(String)
    /// Written to before it was ready, or after it ended.
    case notOpen
}

/// What is wrong with a peer's certificate or with how it speaks.
package enum PeerFault: Error, Hashable, Sendable {
    case noCertificate
    case expired
    case notYetValid
    case revoked
    /// Not signed by this pair's authority, or not for this use; the text is OpenSSL's.
    case untrusted(String)
    case noName
    case severalNames(Int)
    case malformedName(String)
    case foreignPair(String, expected: String)
    case wrongRole(Identity.Role, expected: String)
    /// It speaks no TLS 1.3.
    case oldTLS
    /// It offers none of our protocols.
    case noCommonProtocol
    case tooManyConnections(limit: Int)
    /// What the accepting side's own rules say.
    case notAdmitted(String)
    /// Nothing is wrong with the peer: it dials again in a moment, and is told nothing that would make it wait longer.
    case notYetReady(String)
}

extension TransportError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cannotLoad(let what, let path, let reason):
            "can't use the \(what) \(path): \(reason); check the path, its rights and its content"
        case .openSSL(let reason): "OpenSSL failed: \(reason); check memory and OpenSSL's configuration"
        case .cannotBind(let address, let reason):
            "can't listen on \(address): \(reason); check that the address is this machine's and the port free"
        case .connectionRefused(let address): "\(address) refused: nobody listens there; start the process"
        case .noAnswer(let address, let reason):
            "\(address) gave no answer (\(reason)); check the machine and the route to it"
        case .cannotDial(let address, let reason): "can't dial \(address): \(reason); check this machine's own network"
        case .peerRefused(let fault, let name): "peer refused: \(name.map { "\($0): " } ?? "")\(fault)"
        case .refusedByPeer(let alert, let own):
            "refused by the peer: \(alert); check this side's certificate\(own.map { ", \($0)," } ?? "")"
                + " and the peer's log"
        case .handshakeTimedOut(let seconds): "no TLS handshake within \(seconds) s; check the peer"
        case .handshakeTooLong(let limit):
            "more than \(limit) bytes before the handshake was done; shorten the peer's certificate chain"
        case .handshakeBroken(let reason): "the handshake broke off: \(reason); check that the peer speaks TLS"
        case .crowdedOut(let limit):
            "more than \(limit) connections wait to be known, most of them from there; look at what is there"
        case .truncated: "the connection was cut without a goodbye; dial again"
        case .broken(let reason): "bytes that the peer can't have sent: \(reason); check the network between"
        case .frameTooLong(let length, let limit):
            "a frame of \(length) bytes, over the limit of \(limit); check the peer's version"
        case .frameTimedOut(let seconds): "no whole frame within \(seconds) s; check the peer and the route to it"
        case .unsentTooLong(let bytes, let limit):
            "\(bytes) bytes wait unsent, over the limit of \(limit): the peer reads too slowly; check its load"
        case .lost(let reason): "the connection was lost: \(reason); dial again"
        case .notOpen: "the connection is not open; dial again"
        }
    }
}

extension PeerFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noCertificate: "it has no certificate; issue one"
        case .expired: "its certificate has expired; issue a new one"
        case .notYetValid: "its certificate is not valid yet; check both clocks"
        case .revoked: "its certificate is revoked; issue a new one if it should be let in"
        case .untrusted(let reason): "its certificate is not trusted: \(reason); issue it by this pair's authority"
        case .noName: "its certificate has no URI name; issue one with twinline://PAIR/…"
        case .severalNames(let count): "its certificate has \(count) URI names; issue one with a single name"
        case .malformedName(let name): "its name \(name) is not twinline://PAIR/ROLE; issue a new certificate"
        case .foreignPair(let found, let expected): "it belongs to pair \(found), not \(expected); check the address"
        case .wrongRole(let found, let expected): "it is \(found), not \(expected); check the address or certificate"
        case .oldTLS: "it does not speak TLS 1.3; update it"
        case .noCommonProtocol: "it offers no protocol that is spoken here; check the address and its version"
        case .tooManyConnections(let limit): "it has \(limit) connections already; look at what opens them"
        case .notAdmitted(let reason), .notYetReady(let reason): "\(reason)"
        }
    }
}
