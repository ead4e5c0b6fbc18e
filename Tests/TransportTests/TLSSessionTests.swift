import Glibc
import NIOCore
import Testing

@testable import Transport

/// Two sessions back to back in memory.
@Suite struct TLSSessionTests {
    @Test("both sides learn who the other is and which protocol they speak")
    func handshake() throws {
        let pair = try Pair()
        try pair.shake()
        #expect(pair.client.peer?.certificate.identity == Identity(pair: "hotline", role: .node(.a)))
        #expect(pair.server.peer?.certificate.identity == Identity(pair: "hotline", role: .seat("017")))
        #expect(pair.server.peer?.protocol == .seat)
        let days = pair.server.peer?.certificate.daysLeft(at: Int64(time(nil)))
        #expect(days == 729 || days == 730)
    }

    @Test("what is sent arrives whole, however large, in both directions")
    func plaintext() throws {
        let pair = try Pair()
        try pair.shake()
        let large = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try pair.client.send(large)
        #expect(try pair.carry(from: pair.client, to: pair.server) == large)
        try pair.server.send([1, 2, 3])
        #expect(try pair.carry(from: pair.server, to: pair.client) == [1, 2, 3])
    }

    @Test("bytes that arrive one by one are the same message")
    func trickle() throws {
        let pair = try Pair()
        try pair.shake()
        try pair.client.send([7, 8, 9])
        var received: [UInt8] = []
        for byte in pair.client.ciphertext() {
            #expect(received.isEmpty)
            received += try pair.server.take([byte])
        }
        #expect(received == [7, 8, 9])
    }

    @Test("a goodbye is told from silence")
    func goodbye() throws {
        let pair = try Pair()
        try pair.shake()
        pair.client.session.end()
        try pair.server.session.receive(ByteBuffer(bytes: pair.client.ciphertext()))
        var space = ByteBufferAllocator().buffer(capacity: 100)
        #expect(try pair.server.session.read(into: &space) == .ended)
    }

    @Test("any changed bit of a record is noticed")
    func tampering() throws {
        let pair = try Pair()
        try pair.shake()
        try pair.client.send([1, 2, 3])
        var bytes = pair.client.ciphertext()
        bytes[bytes.count / 2] ^= 1
        #expect { try pair.server.take(bytes) } throws: { error in
            if case .broken = error as? TransportError { true } else { false }
        }
    }

    @Test(
        "a server names the reason why it refuses a client",
        arguments: [
            ("seat-old", PeerFault.expired, "twinline://hotline/seat/old"),
            ("seat-lost-kept", .revoked, "twinline://hotline/seat/lost"), ("nameless", .noName, ""),
            ("twofold", .severalNames(2), ""),
            ("misnamed", .malformedName("twinline://hotline/boss/1"), "twinline://hotline/boss/1"),
        ])
    func refusal(name: String, fault: PeerFault, claimed: String) throws {
        let pair = try Pair(client: Authority.hotline.client(cheating: name))
        #expect(throws: TransportError.peerRefused(fault, of: claimed.isEmpty ? nil : claimed)) { try pair.shake() }
    }

    @Test("a certificate of another authority is not trusted, and one of another pair is foreign")
    func foreign() throws {
        var pair = try Pair(client: Authority.hotline.client(cheating: "seat-017", from: Authority.other))
        #expect { try pair.shake() } throws: { error in
            guard case .peerRefused(.untrusted(let reason), let name) = error as? TransportError else { return false }
            return reason.contains("issuer") && name == "twinline://other/seat/017"
        }
        pair = try Pair(client: Authority.neighbour.client())
        #expect(
            throws: TransportError.peerRefused(
                .foreignPair("hotline", expected: "neighbour"), of: "twinline://hotline/node/a")
        ) { try pair.shake() }
    }

    @Test("a seat's certificate can't pass for a server's")
    func purpose() throws {
        let pair = try Pair(server: Authority.hotline.server("seat-017"))
        #expect(
            throws: TransportError.peerRefused(
                .untrusted("unsuitable certificate purpose"), of: "twinline://hotline/seat/017")
        ) { try pair.shake() }
    }

    @Test("sides without a common protocol part")
    func protocols() throws {
        let pair = try Pair(client: Authority.hotline.client("seat-017", [.witness]))
        #expect(throws: TransportError.peerRefused(.noCommonProtocol)) { try pair.shake() }
    }

    @Test("a client learns by an alert that its certificate was refused, after its own handshake is done")
    func lateRefusal() throws {
        let pair = try Pair(client: Authority.hotline.client(cheating: "seat-old"))
        _ = try pair.client.session.handshake()
        _ = try? pair.server.shake(pair.client.ciphertext())
        #expect(try pair.client.session.received(pair.server.ciphertext()).handshake() != nil)
        #expect(throws: TransportError.peerRefused(.expired, of: "twinline://hotline/seat/old")) {
            try pair.server.shake(pair.client.ciphertext())
        }
        // Who cheats believes to be who the context was made for.
        let own = "twinline://hotline/seat/017"
        #expect(throws: TransportError.refusedByPeer(alert: "certificate expired", own: own)) {
            try pair.client.take(pair.server.ciphertext())
        }
    }

    @Test("garbage in place of a handshake is refused")
    func garbage() throws {
        let pair = try Pair()
        #expect { try pair.server.shake(Array(repeating: 0x47, count: 100)) } throws: { error in
            if case .handshakeBroken = error as? TransportError { true } else { false }
        }
    }

    @Test("a file that can't be used is named")
    func files() throws {
        var files = Authority.hotline.files("seat-017")
        files.key = "/nonexistent/key"
        #expect(
            throws: TransportError.cannotLoad(
                what: "private key", path: "/nonexistent/key", reason: "No such file or directory")
        ) { try TLSContext(.client, files, protocols: [.seat]) }
        files.key = Authority.hotline.files("node-a").key
        #expect { try TLSContext(.client, files, protocols: [.seat]) } throws: { error in
            "\(error)".contains("key values mismatch")
        }
    }
}
