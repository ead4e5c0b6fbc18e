import NIOCore
import Testing

@testable import Transport

/// What becomes of open connections when files are replaced or time passes.
@Suite struct RenewalTests {
    let folder = Authority.Folder(pair: "hotline")

    init() {
        for role in ["node/a", "seat/017"] { folder.issue(role) }
    }

    @Test("a new certificate is shown to new connections, and those that are open stay")
    func newCertificate() async throws {
        let echo = try await Echo(folder.server())
        let before = try await Caller(echo.address, tls: folder.client())
        let old = echo.connections.context.own.notAfter
        folder.issueAgain("node/a", days: 100)
        echo.connections.renew(try echo.connections.context.renewed(from: folder.files("node-a")))
        let after = try await Caller(echo.address, tls: folder.client())
        #expect(before.peer.notAfter == old && after.peer.notAfter < old)
        for caller in [before, after] {
            try await caller.send([1])
            #expect(try await caller.next() == [1])
            try await caller.channel.close()
        }
        await echo.listener.close()
    }

    @Test("a dialler too ends a connection whose server is revoked since, and dials it no more")
    func revokedServer() async throws {
        let echo = try await Echo(folder.server())
        let dialled = OpenConnections(try folder.client())
        let before = try await Caller(echo.address, dialled)
        folder.pki("revoke", folder.path, "node/a")
        dialled.renew(try dialled.context.renewed(from: folder.files("seat-017")))
        await #expect(throws: TransportError.peerRefused(.revoked, of: "twinline://hotline/node/a")) {
            try await before.next()
        }
        await #expect(throws: TransportError.peerRefused(.revoked, of: "twinline://hotline/node/a")) {
            _ = try await Caller(echo.address, dialled)
        }
        await echo.listener.close()
    }

    @Test("a peer's connection ends in the second in which its certificate expires, on either side, and not before")
    func expiry() async throws {
        let echo = try await Echo(folder.server())
        let dialled = OpenConnections(try folder.client())
        let caller = try await Caller(echo.address, dialled)
        _ = await echo.next()
        let end = dialled.context.own.notAfter
        echo.connections.expire(at: end - 1)
        dialled.expire(at: caller.peer.notAfter - 1)
        try await caller.send([1])
        #expect(try await caller.next() == [1])
        echo.connections.expire(at: end)
        #expect(await echo.next() == .ended(.peerRefused(.expired, of: "twinline://hotline/seat/017")))
        let told = TransportError.refusedByPeer(alert: "\(PeerFault.expired)", own: "twinline://hotline/seat/017")
        await #expect(throws: told) { try await caller.next() }

        let other = try await Caller(echo.address, dialled)
        dialled.expire(at: other.peer.notAfter)
        await #expect(throws: TransportError.peerRefused(.expired, of: "twinline://hotline/node/a")) {
            try await other.next()
        }
        await echo.listener.close()
    }

    @Test("files that don't fit each other make no context")
    func mismatch() throws {
        let context = try folder.server()
        #expect(try context.renewed(from: folder.files("node-a")).own == context.own)
        var files = folder.files("node-a")
        files.key = folder.files("seat-017").key
        #expect(refusal(context, files).contains("key values mismatch"))
        #expect(refusal(context, folder.files("seat-017")).contains("it belongs to twinline://hotline/seat/017"))
        files = folder.files("node-a")
        files.authority = Authority.other.files("seat-017").authority
        #expect(refusal(context, files).contains("does not fit it"))
        files = folder.files("node-a")
        files.revocations = Authority.other.files("seat-017").revocations
        #expect(refusal(context, files).contains("does not fit it: unable to get certificate CRL"))
        files.revocations = try folder.expiredList()
        #expect(refusal(context, files).contains("does not fit it: CRL has expired"))
    }

    @Test("a revocation is known although the own certificate is missing")
    func trustAlone() throws {
        folder.keep("seat-017")
        let lost = try folder.client(cheating: "seat-017-kept")
        let context = try folder.server()
        folder.pki("revoke", folder.path, "seat/017")
        folder.remove("node-a")
        #expect(refusal(context, folder.files("node-a")).contains("No such file"))
        let half = try context.renewed(from: folder.files("node-a"), keepingOwn: true)
        #expect(half.own == context.own)
        let pair = try Pair(client: lost, server: half)
        #expect(throws: TransportError.peerRefused(.revoked, of: "twinline://hotline/seat/017")) { try pair.shake() }
    }

    private func refusal(_ context: TLSContext, _ files: TLSFiles) -> String {
        do {
            _ = try context.renewed(from: files)
            return ""
        } catch {
            return "\(error)"
        }
    }
}
