import Daemon
import Foundation
import Replication
import Synchronization
import Wire

/// Both nodes' digests, computed anew from the tables at one LSN while the pair works on.
///
/// Each node takes its snapshot when its database stands at exactly the entry it was told. That must lie a little ahead
/// of both, or no message could arrive in time; but on an idle pair it must be the one where both stand. So the entry
/// is guessed from how fast the pair writes, and if either node misses it both begin again.
struct PairVerification {
    /// Of both nodes, or of the one that is there.
    struct Progress: Sendable {
        var rows: PerNode<UInt64> = PerNode(a: 0, b: 0)
        var totals: PerNode<UInt64> = PerNode(a: 0, b: 0)
    }

    private enum Word: Sendable {
        case heard(NodeName, Twinline_Seat_V1_Verification)
        case ended(NodeName, Result<OpsClient.VerificationEnd, PairView.ViewError>)
        case late
    }

    let view: PairView
    let progress: @Sendable (Progress) -> Void

    /// How long an entry may take to come; then another one is chosen.
    private static let wait = Duration.seconds(1)
    private static let patience = Duration.seconds(20)
    /// From the look at the nodes until both have the order.
    private static let lead = 0.05

    /// - Throws: `Failure` with exit code 75 or 69, when it can't be done now.
    func run() async throws -> VerifyReport {
        let deadline = ContinuousClock.now + Self.patience
        var lead = Self.lead
        var reason = "no attempt was made"
        while ContinuousClock.now < deadline {
            let sights = try await nodes()
            guard sights.count == 2 else { return try await alone(sights) }
            switch try await attempt(at: try await target(lead)) {
            case .done(let report): return report
            case .again(let why, let missed):
                reason = why
                // Too near, or too far.
                lead = min(max(lead * (missed ? 2 : 0.5), 0.001), 1)
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        throw Unavailable("the nodes could not be verified at one entry: \(reason); try again")
    }

    // MARK: which entry

    private func nodes() async throws -> [NodeName: Twinline_Seat_V1_Status] {
        let sight = await view.look()
        var found: [NodeName: Twinline_Seat_V1_Status] = [:]
        for name in NodeName.allCases {
            if let status = sight.nodes[name].value, !status.unformatted { found[name] = status }
        }
        if found.isEmpty { throw Unavailable("no node can be verified: \(sight.verdict)", code: 69) }
        return found
    }

    /// The entry that both nodes will have applied this many seconds from now, if they go on as they do.
    private func target(_ lead: Double) async throws -> LSN {
        let began = ContinuousClock.now
        let before = try await nodes().values.map(\.applied).max() ?? 0
        try await Task.sleep(for: .milliseconds(20))
        let after = try await nodes().values.map(\.applied).max() ?? 0
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        let ahead = Double(after - min(before, after)) / seconds * lead
        return LSN(after + UInt64(ahead.rounded(.up)))
    }

    // MARK: the walks

    private enum Attempt { case done(VerifyReport), again(String, missed: Bool) }

    private func attempt(at lsn: LSN) async throws -> Attempt {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (words, said) = AsyncStream.makeStream(of: Word.self)
            defer { group.cancelAll() }
            for name in NodeName.allCases {
                group.addTask { said.yield(.ended(name, await walk(name, at: lsn) { said.yield(.heard(name, $0)) })) }
            }
            group.addTask {
                try? await Task.sleep(for: Self.wait)
                said.yield(.late)
            }
            return try await judge(words)
        }
    }

    private func judge(_ words: AsyncStream<Word>) async throws -> Attempt {
        var state = Progress()
        var begun: Set<NodeName> = []
        var results: [NodeName: Twinline_Seat_V1_Verification] = [:]
        for await word in words {
            switch word {
            case .late:
                if begun.count < 2 { return .again("an entry that was to come did not", missed: false) }
            case .heard(let name, let heard):
                begun.insert(name)
                (state.rows[name], state.totals[name]) = (heard.rows, heard.rowsTotal)
                progress(state)
            case .ended(let name, .success(.ended(let last))) where last.stage == .done:
                begun.insert(name)
                results[name] = last
                (state.rows[name], state.totals[name]) = (last.rows, last.rowsTotal)
                progress(state)
                if results.count == 2 { return .done(VerifyReport(results)) }
            case .ended(let name, .success(.ended(let last))) where last.stage == .past:
                return .again("node \(name) was past the entry already", missed: true)
            case .ended(let name, let end): return try Self.failed(name, end)
            }
        }
        throw CancellationError()
    }

    private static func failed(
        _ name: NodeName, _ end: Result<OpsClient.VerificationEnd, PairView.ViewError>
    ) throws -> Attempt {
        switch end {
        case .success(.refused(let answer)) where answer.again:
            return .again("node \(name): \(answer.text)", missed: true)
        case .success(.refused(let answer)): throw Unavailable("node \(name) refused: \(answer.text)")
        case .success(.ended(let last)): throw Unavailable("node \(name) could not verify its tables: \(last.reason)")
        case .failure(let error): throw Unavailable("lost node \(name) while it was verified: \(error.text)")
        }
    }

    /// Better than nothing: its tables against its own digest.
    private func alone(_ nodes: [NodeName: Twinline_Seat_V1_Status]) async throws -> VerifyReport {
        guard let name = nodes.keys.first else { throw Unavailable("no node can be verified", code: 69) }
        let end = await walk(name, at: nil) { heard in
            var state = Progress()
            (state.rows[name], state.totals[name]) = (heard.rows, heard.rowsTotal)
            progress(state)
        }
        if case .success(.ended(let last)) = end, last.stage == .done { return VerifyReport([name: last]) }
        if case .again(let reason, _) = try Self.failed(name, end) { throw Unavailable("\(reason); try again") }
        throw Unavailable("node \(name) could not be verified")
    }

    private func walk(
        _ name: NodeName, at lsn: LSN?, _ hear: @escaping @Sendable (Twinline_Seat_V1_Verification) -> Void
    ) async -> Result<OpsClient.VerificationEnd, PairView.ViewError> {
        do { return .success(try await view.verify(at: lsn, name, progress: hear)) } catch {
            return .failure(PairView.ViewError(text: "\(error)"))
        }
    }
}

/// It can't be done now: a sentence, and an exit code.
struct Unavailable: Error {
    let reason: String
    let code: Int32
    init(_ reason: String, code: Int32 = 75) { (self.reason, self.code) = (reason, code) }
}
