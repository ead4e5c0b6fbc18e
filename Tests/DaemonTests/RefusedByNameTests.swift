import Foundation
import NIOCore
import Replication
import TestSupport
import Testing
import Transport

@testable import Daemon

/// Certificates that may not do what is tried with them, at running daemons: either side's log names certificate and
/// reason.
@Suite struct RefusedByNameTests {
    private struct Attempt {
        let certificate: String
        var folder = "pki"
        var port = 1
        var speaking = ApplicationProtocol.seat
        let name: String
        let reason: String
        /// What the refused side is told; TLS has words of its own for what it finds itself.
        var told: String?

        /// As the certificate says.
        var own: String { "twinline://\(folder == "pki" ? "test" : folder)/\(certificate)" }

        func files(_ pair: LivePair) -> TLSFiles {
            let file = pair.path("\(folder)/\(certificate.replacingOccurrences(of: "/", with: "-"))")
            return TLSFiles(certificate: file + ".pem", key: file + ".key", authority: pair.path("pki/ca.pem"))
        }
    }

    private let attempts = [
        Attempt(
            certificate: "seat/1", folder: "other", name: "twinline://other/seat/1",
            reason: "its certificate is not trusted"),
        Attempt(
            certificate: "seat/1", folder: "neighbour", name: "twinline://neighbour/seat/1",
            reason: "it belongs to pair neighbour, not test"),
        Attempt(
            certificate: "seat/late", name: "twinline://test/seat/late", reason: "its certificate has expired",
            told: "certificate expired"),
        Attempt(
            certificate: "seat/lost", name: "twinline://test/seat/lost", reason: "its certificate is revoked",
            told: "certificate revoked"),
        Attempt(
            certificate: "seat/1", speaking: .node, name: "twinline://test/seat/1", reason: "it is seat/1, not a node"),
        Attempt(
            certificate: "seat/1", speaking: .copy, name: "twinline://test/seat/1", reason: "it is seat/1, not a node"),
        Attempt(
            certificate: "seat/1", port: 2, speaking: .witness, name: "twinline://test/seat/1",
            reason: "it is seat/1, not a node or ops"),
        Attempt(
            certificate: "ops/admin", speaking: .node, name: "twinline://test/ops/admin",
            reason: "it is ops/admin, not a node"),
        Attempt(
            certificate: "node/b", speaking: .node, name: "twinline://test/node/b", reason: "it is node/b, not node/a"),
        Attempt(
            certificate: "witness", speaking: .copy, name: "twinline://test/witness",
            reason: "it is witness, not a node"),
        Attempt(
            certificate: "seat/1", port: 2, speaking: .seat, name: "",
            reason: "it offers no protocol that is spoken here", told: "no application protocol"),
    ]

    @Test("whoever may not come in is refused with its name and the reason, on both sides")
    func refused() async throws {
        let log = RecordedLog()
        try await RunningPair.with(log: log.logger) { running in
            try await running.format()
            try prepare(running.pair)
            // Until then a revoked certificate is let in, and let go a moment later.
            try await log.wait(for: ["and revocation list", "=b"])
            for attempt in attempts {
                let error = await dial(attempt, running.pair)
                let told = attempt.told ?? attempt.reason
                if attempt.folder == "pki" {
                    try #require(error.hasPrefix("refused by the peer: \(told)"), "\(attempt.name): \(error)")
                    #expect(error.contains("this side's certificate, \(attempt.own),"), "\(attempt.name): \(error)")
                } else {
                    // It finds the other pair's node as foreign as that finds it.
                    #expect(error.hasPrefix("peer refused: twinline://test/node/b: it belongs to pair test"))
                }
                let name = attempt.name.isEmpty ? "" : attempt.name + ": "
                let whose = attempt.port == 2 ? "witness" : "b"
                try await log.wait(for: ["refused a connection", "peer refused: \(name)\(attempt.reason)", "=\(whose)"])
            }
        }
    }

    private func prepare(_ pair: LivePair) throws {
        try pair.issue("seat/late", until: Date(timeIntervalSinceNow: -60))
        try pair.issue("seat/lost")
        for end in ["pem", "key"] {
            try FileManager.default.copyItem(
                atPath: pair.path("pki/seat-lost.\(end)"), toPath: pair.path("kept.\(end)"))
        }
        try pair.pki("revoke", pair.path("pki"), "seat/lost")
        for end in ["pem", "key"] {
            try FileManager.default.moveItem(
                atPath: pair.path("kept.\(end)"), toPath: pair.path("pki/seat-lost.\(end)"))
        }
        try pair.pki("init", pair.path("other"), "other")
        try pair.pki("issue", pair.path("other"), "seat/1")
        // Another pair, under the same authority.
        try FileManager.default.createDirectory(atPath: pair.path("neighbour"), withIntermediateDirectories: true)
        for file in ["ca.pem", "ca.key", "crl.pem", "index.txt", "crlnumber"] {
            try FileManager.default.copyItem(
                atPath: pair.path("pki/\(file)"), toPath: pair.path("neighbour/\(file)"))
        }
        try "neighbour\n".write(toFile: pair.path("neighbour/pair"), atomically: true, encoding: .utf8)
        try pair.pki("issue", pair.path("neighbour"), "seat/1")
    }

    /// What ends the connection.
    private func dial(_ attempt: Attempt, _ pair: LivePair) async -> String {
        let loop = pair.group.next()
        let ended = loop.makePromise(of: String.self)
        // A daemon waits ten seconds for the first frame.
        let limit = loop.scheduleTask(in: .init(Pace.inVain)) { ended.succeed("let in") }
        do {
            let tls = try TLSContext(.client, attempt.files(pair), protocols: [attempt.speaking])
            let role = attempt.port == 2 ? Identity.Role.witness : .node(.b)
            let channel = try await Dialer(tls: tls, connectTimeout: .hours(1)).dial(
                try pair.address(attempt.port), on: loop, expecting: role
            ) { channel, _ in
                try channel.pipeline.syncOperations.addHandler(
                    FrameRelay(
                        core: channel.eventLoop, active: {}, frame: { _ in },
                        closed: { ended.succeed($0.map { "\($0)" } ?? "closed") }))
            }.get()
            ended.futureResult.whenComplete { _ in channel.close(promise: nil) }
        } catch {
            ended.succeed("\(error)")
        }
        defer { limit.cancel() }
        return (try? await ended.futureResult.get()) ?? ""
    }
}
