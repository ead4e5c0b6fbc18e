import NIOCore
import Replication
import Testing
import Wire

@testable import Daemon

/// A verification as whoever asked for it holds it: by its connection.
@Suite(.serialized) struct VerifyConnectionTests {
    @Test("whoever goes away ends the verification at the node; until then there is no other")
    func goesAway() async throws {
        try await RunningPair.with { running in
            try await running.format()
            let (client, address) = (running.client, try running.pair.address(0))
            // Waits for an entry that nobody writes.
            let first = Task {
                while case .refused = try await client.verify(at: LSN(1_000_000), .a, address, progress: { _ in }) {}
            }
            var refused = false
            while !refused {
                if case .refused(let answer) = try await client.verify(at: nil, .a, address, progress: { _ in }) {
                    #expect(answer.again && answer.text.contains("under way"))
                    refused = true
                }
            }
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            while true {
                guard case .ended(let last) = try await client.verify(at: nil, .a, address, progress: { _ in }) else {
                    continue
                }
                #expect(last.stage == .done && last.computed == last.stored)
                return
            }
        }
    }

    @Test("only an ops certificate may ask for it")
    func opsOnly() async throws {
        try await RunningPair.with { running in
            try await running.format()
            let seat = try OpsClient(tls: running.pair.tls("seat/1"), group: running.pair.group)
            let end = try await seat.verify(at: nil, .a, try running.pair.address(0)) { _ in }
            guard case .refused(let answer) = end else {
                Issue.record("a seat had a node verified")
                return
            }
            #expect(answer.text.contains("ops certificate") && !answer.again)
        }
    }
}
