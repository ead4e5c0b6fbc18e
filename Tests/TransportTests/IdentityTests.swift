import Foundation
import Testing

@testable import Transport

@Suite struct IdentityTests {
    @Test(
        "a name says the pair and the role",
        arguments: [
            ("node/a", Identity.Role.node(.a)), ("node/b", .node(.b)), ("witness", .witness),
            ("seat/017", .seat("017")), ("supervisor/li.na", .supervisor("li.na")), ("ops/Anna-2", .ops("Anna-2")),
            ("service/gis_1", .service("gis_1")),
        ])
    func roles(text: String, role: Identity.Role) throws {
        let identity = try Identity(uri: "twinline://hotline-1/" + text)
        #expect(identity == Identity(pair: "hotline-1", role: role))
        #expect(identity.description == "twinline://hotline-1/" + text)
    }

    @Test(
        "a name that is anything else is refused",
        arguments: [
            "", "twinline://", "twinline://p", "twinline://p/", "twinline:///seat/1", "twinline://p/seat",
            "twinline://p/seat/", "twinline://p/seat/1/", "twinline://p/seat/1/2", "twinline://p/node/c",
            "twinline://p/node/A", "twinline://p/witness/1", "twinline://p/boss/1", "https://p/seat/1",
            "Twinline://p/seat/1", "twinline://p/seat/-1", "twinline://p/seat/a b", "twinline://p/seat/é",
            "twinline://p/seat/1\0", "twinline://p q/seat/1", "twinline://p/seat/" + String(repeating: "x", count: 65),
        ])
    func malformed(text: String) {
        #expect(throws: PeerFault.self) { try Identity(uri: text) }
    }

    @Test("a stranger's name goes into a log without control characters, and short")
    func printable() {
        let name = "twinline://p/\u{1B}[2J\n" + String(repeating: "x", count: 1000)
        #expect { try Identity(uri: name) } throws: { error in
            guard case .malformedName(let shown) = error as? PeerFault else { return false }
            return shown.count == 100 && !shown.contains("\n") && !shown.contains("\u{1B}")
        }
    }

    @Test("days left are whole days, and negative once it is over")
    func daysLeft() {
        let certificate = PeerCertificate(identity: Identity(pair: "p", role: .witness), notAfter: 1_000_000)
        #expect(certificate.daysLeft(at: 1_000_000 - 86_400 * 30) == 30)
        #expect(certificate.daysLeft(at: 1_000_000 - 86_399) == 0)
        #expect(certificate.daysLeft(at: 1_000_001) == -1)
    }

    @Test("each protocol lets in those who are meant to speak it, and nobody else")
    func admission() {
        let roles: [Identity.Role] = [.node(.a), .witness, .seat("1"), .supervisor("1"), .ops("1"), .service("1")]
        let table = ApplicationProtocol.allCases.map { spoken in
            "\(spoken.rawValue): " + roles.filter(spoken.admits).map(\.description).joined(separator: " ")
        }
        #expect(
            table == [
                "twinline-seat/1: node/a witness seat/1 supervisor/1 ops/1 service/1", "twinline-node/1: node/a",
                "twinline-witness/1: node/a ops/1", "twinline-copy/1: node/a",
            ])
    }

    @Test("only their owner can read the keys that the authority makes")
    func keys() throws {
        let folder = Authority.hotline.path
        for key in ["ca.key", "node-a.key", "seat-017.key"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/" + key)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }
}
