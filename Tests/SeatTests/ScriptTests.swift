import Replication
import Testing

@testable import Seat

/// The language-neutral scripts against the real rules; Tests/PythonClient plays the same against its own.
@Suite struct ScriptTests {
    @Test("all scripts are there")
    func all() throws { #expect(try Script.names.count >= 12) }

    @Test("the rules decide as the script says, whatever the dice", arguments: try Script.names)
    func script(_ name: String) throws {
        let script = try Script.load(name)
        var moments: [String: [Double]] = [:]
        for seed in 1...20 as ClosedRange<UInt64> {
            var player = try ScriptPlayer(script, seed: seed)
            for step in script.steps {
                let found = try player.play(step)
                let place = Comment("\(name), at \(step.at), seed \(seed): \(found)")
                try #require(inPlaces(found.map(\.text)) == inPlaces(step.then.map(\.text)), place)
                for decision in found where step.run != nil {
                    let due = step.then.first {
                        $0.text == decision.text && $0.within?.contains(decision.at) == true
                    }
                    let expected = try #require(due, place)
                    guard expected.isJittered, let within = expected.within else { continue }
                    let share = (decision.at - within.lowerBound) / (within.upperBound - within.lowerBound)
                    moments["\(expected.text), \(within)", default: []].append(share)
                }
            }
        }
        for (text, shares) in moments {
            #expect((shares.max() ?? 0) - (shares.min() ?? 0) > 0.5, "\(name): \(text) is without jitter")
        }
    }

    /// In order where an order counts: for each connection, for each caller.
    private func inPlaces(_ decisions: [String]) -> [String: [String]] {
        Dictionary(grouping: decisions) { text in
            let words = text.split(separator: " ").map(String.init)
            return words[0] == "deliver" ? words.last ?? "" : words.first { ScriptPlayer.links[$0] != nil } ?? ""
        }
    }
}
