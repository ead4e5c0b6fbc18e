import Replication

/// Who a certificate belongs to: its one URI name, `twinline://PAIR/ROLE`, where ROLE is
///
///     node/a  node/b  witness  seat/NAME  supervisor/NAME  ops/NAME  service/NAME
///
/// PAIR and NAME are 1 to 64 of `A-Z a-z 0-9 - _ .` and begin with a letter or digit.
package struct Identity: Hashable, Sendable, CustomStringConvertible {
    package var pair: String
    package var role: Role

    package enum Role: Hashable, Sendable {
        case node(NodeName)
        case witness
        case seat(String)
        case supervisor(String)
        case ops(String)
        case service(String)
    }

    package init(pair: String, role: Role) { (self.pair, self.role) = (pair, role) }

    package init(uri: String) throws(PeerFault) {
        let scheme = "twinline://"
        guard uri.hasPrefix(scheme) else { throw .malformedName(Self.printable(uri)) }
        let parts = uri.dropFirst(scheme.count).split(separator: "/", omittingEmptySubsequences: false)
        guard let pair = parts.first, Self.isName(pair), let role = Role(parts.dropFirst()) else {
            throw .malformedName(Self.printable(uri))
        }
        self.init(pair: String(pair), role: role)
    }

    package var description: String { "twinline://\(pair)/\(role)" }

    fileprivate static func isName(_ text: Substring) -> Bool {
        guard (1...64).contains(text.utf8.count), let first = text.utf8.first, isLetterOrDigit(first) else {
            return false
        }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || [0x2D, 0x5F, 0x2E].contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    /// A stranger's name as it may stand in a log: short, and no control characters.
    static func printable(_ name: String) -> String {
        let shown = name.unicodeScalars.prefix(100).map { (0x21...0x7E).contains($0.value) ? $0 : "?" }
        return String(String.UnicodeScalarView(shown))
    }
}

extension Identity.Role: CustomStringConvertible {
    fileprivate init?(_ parts: ArraySlice<Substring>) {
        guard let kind = parts.first else { return nil }
        let name = parts.last ?? ""
        switch (kind, parts.count) {
        case ("witness", 1): self = .witness
        case ("node", 2):
            guard let node = NodeName(rawValue: String(name)) else { return nil }
            self = .node(node)
        case (_, 2) where Identity.isName(name):
            switch kind {
            case "seat": self = .seat(String(name))
            case "supervisor": self = .supervisor(String(name))
            case "ops": self = .ops(String(name))
            case "service": self = .service(String(name))
            default: return nil
            }
        default: return nil
        }
    }

    /// As in the URI and in the history of a ticket: "seat/017".
    package var description: String {
        switch self {
        case .node(let node): "node/\(node)"
        case .witness: "witness"
        case .seat(let name): "seat/\(name)"
        case .supervisor(let name): "supervisor/\(name)"
        case .ops(let name): "ops/\(name)"
        case .service(let name): "service/\(name)"
        }
    }
}

/// What is spoken inside TLS, agreed on by ALPN.
package enum ApplicationProtocol: String, Hashable, Sendable, CaseIterable {
    case seat = "twinline-seat/1"
    case node = "twinline-node/1"
    case witness = "twinline-witness/1"
    case copy = "twinline-copy/1"

    /// Who may open a connection of this kind. `twinline status` speaks the seat protocol with any certificate.
    package func admits(_ client: Identity.Role) -> Bool {
        switch (self, client) {
        case (.seat, _), (.node, .node), (.copy, .node), (.witness, .node), (.witness, .ops): true
        case (.node, _), (.copy, _), (.witness, _): false
        }
    }

    var clients: String {
        switch self {
        case .seat: "anyone of the pair"
        case .node, .copy: "a node"
        case .witness: "a node or ops"
        }
    }
}
