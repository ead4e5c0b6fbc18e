import Daemon
import Foundation
import Replication
import Tickets

/// The faults of the demo, one after another, each measured.
enum Fault: String, CaseIterable, Sendable {
    case killPrimary = "kill primary"
    case killStandby = "kill standby"
    case freezePrimary = "freeze primary"
    case killWitness = "kill witness"
    case switchover = "switchover"

    /// The script: the primary twice, so that both nodes have led and have been lost.
    static let script: [Fault] = [.killPrimary, .killPrimary, .killStandby, .freezePrimary, .killWitness, .switchover]

    /// "kill primary", or shorter with a hyphen: "kill-primary".
    init?(name: String) {
        self.init(rawValue: name.replacingOccurrences(of: "-", with: " ").trimmingCharacters(in: .whitespaces))
    }
}

struct FaultResult: Sendable {
    var fault: Fault
    /// The longest time around the fault in which no seat got an answer to a write.
    var blackout: Double
    /// From the killed process's start until a failover was possible again; nil where nothing was killed.
    var rejoin: Double?
}

/// Carries the faults out on a throw-away pair while the seats work.
struct FaultScript {
    let pair: ThrowawayPair
    let ledger: Ledger
    let say: (String) -> Void

    /// So long the pair has been paired when a fault begins.
    private static let calm = Duration.seconds(1)

    func run(_ fault: Fault) async throws -> FaultResult {
        guard await pair.waitUntilPaired() != nil else {
            throw Failure("the pair did not pair again: \(await pair.view.look().verdict)")
        }
        try await Task.sleep(for: Self.calm)
        // Asked again: on a busy machine one look may go without an answer, or the lead have moved.
        guard let primary = await pair.waitUntilPaired()?.primary, let leader = pair.nodes[primary],
            let follower = pair.nodes[primary.other]
        else { throw Failure("the pair did not stay paired: \(await pair.view.look().verdict)") }

        let start = monotonicNow()
        var rejoin: Double?
        switch fault {
        case .killPrimary:
            say("SIGKILL the primary, node \(primary)")
            leader.kill()
            try await waitForWrites(after: start)
            rejoin = try await restart(leader)
        case .killStandby:
            say("SIGKILL the standby, node \(primary.other)")
            follower.kill()
            try await waitForWrites(after: start)
            rejoin = try await restart(follower)
        case .freezePrimary:
            say("SIGSTOP the primary, node \(primary): it holds its connections and is silent")
            leader.freeze()
            try await waitForLeader(primary.other)
            try await waitForWrites(after: monotonicNow())
            try await Task.sleep(for: .milliseconds(500))
            say("wake node \(primary): it has slept through its replacement")
            leader.wake()
        case .killWitness:
            say("SIGKILL the witness")
            pair.witness.kill()
            try await Task.sleep(for: .milliseconds(500))
            try pair.witness.start()
        case .switchover:
            say("planned switchover away from node \(primary)")
            try await switchOver(from: primary)
        }
        guard await pair.waitUntilPaired() != nil else {
            throw Failure("the pair did not pair again: \(await pair.view.look().verdict)")
        }
        try await waitForWrites(after: monotonicNow())
        let (blackout, at) = ledger.blackout(from: start, to: monotonicNow())
        let delay = Double(at.nanoseconds - start.nanoseconds) / 1_000_000
        say(
            String(format: "blackout %.1f ms, %.0f ms after the fault began", blackout, delay)
                + (rejoin.map { String(format: "; back to paired %.0f ms after its start", $0) } ?? ""))
        return FaultResult(fault: fault, blackout: blackout, rejoin: rejoin)
    }

    private func restart(_ process: ManagedProcess) async throws -> Double {
        try await Task.sleep(for: .milliseconds(300))
        let start = monotonicNow()
        try process.start()
        guard await pair.waitUntilPaired() != nil else {
            throw Failure(
                "\(process.name) did not come back: \(await pair.view.look().verdict)\n\(process.lastWords())")
        }
        return Double(monotonicNow().nanoseconds - start.nanoseconds) / 1_000_000
    }

    /// Asks until the lead has moved: on a busy machine the pair may just not be paired, and refuses.
    private func switchOver(from node: NodeName) async throws {
        var said = ""
        try await wait("the lead did not move from node \(node)") {
            if await pair.view.look().primary == node.other { return true }
            guard let answer = try? await pair.view.switchOver(from: node) else { return false }
            if !answer.accepted, answer.text != said {
                said = answer.text
                say("node \(node) refuses to hand over: \(said)")
            }
            return false
        }
    }

    private func waitForLeader(_ node: NodeName) async throws {
        try await wait("node \(node) did not take over") { await pair.view.look().primary == node }
    }

    /// Seats were answered since then.
    private func waitForWrites(after start: Instant) async throws {
        let before = ledger.counts.writes
        try await wait("no seat was answered any more") { ledger.counts.writes >= before + 50 }
    }

    private func wait(_ otherwise: String, until condition: () async -> Bool) async throws {
        let deadline = ContinuousClock.now + ThrowawayPair.patience
        while !(await condition()) {
            guard ContinuousClock.now < deadline else { throw Failure(otherwise) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
