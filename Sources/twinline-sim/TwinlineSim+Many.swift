import ArgumentParser
import Foundation
import Simulator

extension TwinlineSim {
    /// One after another, on one core.
    func many() throws {
        let clock = ContinuousClock()
        let began = clock.now
        var first = from
        if minutes != nil, from == 1 { first = UInt64.random(in: 1 << 20...1 << 40) }
        let end = minutes.map { began.advanced(by: .seconds($0 * 60)) }
        var totals = Totals()
        var said = began
        var seed = first
        if minutes != nil, !json { print("seeds from \(first)") }
        while end.map({ clock.now < $0 }) ?? (seed < first + (seeds ?? 0)) {
            let verdict = simulate(seed: seed)
            totals.add(verdict)
            if let violation = verdict.violation, !json {
                print("seed \(seed): \(violation)\n    twinline-sim --seed \(seed)")
                // A run of a night is looked at before its end.
                fflush(nil)
            }
            seed += 1
            if untilFound, verdict.violation != nil { break }
            if clock.now - said > .seconds(1) {
                said = clock.now
                Self.progress("\(totals.seeds) seeds, \(totals.violations.count) violations")
            }
        }
        Self.progress("")
        let missing = try missing(in: totals.coverage)
        let spent = clock.now - began
        let seconds = max(Double(spent.components.seconds) + Double(spent.components.attoseconds) / 1e18, 0.001)
        if json {
            print(totals.json(realSeconds: seconds))
        } else {
            for (name, count) in totals.others { print("\(name): \(count)") }
            for change in missing { print("never taken: \(change)") }
            let rates = "\(Int(Double(totals.answers) / seconds)) answers and \(Int(totals.simulatedSeconds / seconds))"
            print("in \(Int(seconds)) s: \(rates) simulated seconds a second")
            print(totals.line)
        }
        if !totals.violations.isEmpty || !missing.isEmpty { throw ExitCode(1) }
    }

    /// What none of the runs has done, and should have.
    private func missing(in coverage: Coverage) throws -> [String] {
        guard let transitions else { return [] }
        let table = TransitionTable.changes(in: try String(contentsOfFile: transitions, encoding: .utf8))
        let excepted = try except.map { try String(contentsOfFile: $0, encoding: .utf8) } ?? ""
        let excused = Set(excepted.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init))
        return table.filter { coverage.transitions[$0] == nil && !excused.contains($0) }
            + Coverage.allRules.filter { coverage.rules[$0] == nil }
    }
}
