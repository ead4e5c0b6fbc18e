import Daemon
import Foundation
import Replication
import Testing

@testable import Commands

/// Two of the three are gone: only a person can have the pair go on.
extension ProcessTests.ForcedTests {
    @Test("a standby without primary and witness leads once forced, and the pair heals")
    func promotion() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        let standby = primary.other
        // Nothing to force while the other node is there.
        let early = try await faulty.twinline("force-promote", "--node", "\(standby)", "--confirm", "demo")
        #expect(early.code == 1 && early.said.contains("node \(primary) answers: it is not off"))
        faulty.pair.witness.kill()
        faulty.pair.nodes[primary]?.kill()
        try await faulty.wait { $0.nodes[standby].value?.peerConnected == false }
        let wrong = try await faulty.twinline("force-promote", "--node", "\(standby)", "--confirm", "other")
        #expect(wrong.code == 1 && wrong.said.contains("that is not the pair's name; nothing was changed"))
        let solo = try await faulty.twinline("force-solo", "--node", "\(standby)", "--confirm", "demo")
        #expect(solo.code == 1 && solo.said.contains("is not the primary"))
        #expect(try await faulty.sight().primary == nil)

        // A node that takes some seconds to answer is slow, and not off.
        let process = try #require(faulty.pair.nodes[standby]?.id)
        faulty.pair.nodes[standby]?.freeze()
        let thaw = Task {
            try await Task.sleep(for: .seconds(4))
            kill(process, SIGCONT)
        }
        let forced = try await faulty.twinline("force-promote", "--node", "\(standby)", "--confirm", "demo")
        _ = try await thaw.value
        #expect(forced.code == 0, "\(forced.said.replacingOccurrences(of: "\n", with: " | "))")
        #expect(forced.said.contains("What node \(primary) answered after that entry IS LOST"))
        try await faulty.waitForWrites(100)
        #expect(try await faulty.sight().verdict.contains("BY FORCE"))
        try await heal(faulty, primary, leader: standby)
    }

    @Test("a primary without standby and witness goes on once forced, and the pair heals")
    func solo() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let primary = try await faulty.primary()
        faulty.pair.witness.kill()
        faulty.pair.nodes[primary.other]?.kill()
        try await faulty.wait { $0.nodes[primary].value?.peerConnected == false }
        let forced = try await faulty.twinline("force-solo", "--node", "\(primary)", "--confirm", "demo")
        #expect(forced.code == 0, "\(forced.said)")
        try await faulty.waitForWrites(100)
        try await heal(faulty, primary.other, leader: primary)
    }

    /// The witness comes back with its old register, and then the lost node.
    private func heal(_ faulty: FaultyPair, _ lost: NodeName, leader: NodeName) async throws {
        try faulty.pair.witness.start()
        try await faulty.wait { sight in
            guard let status = sight.nodes[leader].value else { return false }
            return status.witnessConnected && status.mode == "solo" && status.forced
        }
        try await faulty.waitForWrites(100)
        try faulty.pair.nodes[lost]?.start()
        try await faulty.wait { $0.isPaired && $0.primary == leader && $0.primaryStatus?.forced == false }
        try await faulty.audit()
    }
}
