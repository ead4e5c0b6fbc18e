import ArgumentParser
import Foundation
import Simulator

extension TwinlineSim {
    /// One after another, on one core.
    func many() throws {
        let clock = ContinuousClock()
        let began = clock.now
        CrashNote.install(for: from)
        let chosen = try chosen
        let end = minutes.map { began.advanced(by: .seconds($0 * 60)) }
        var totals = Totals()
        var said = began
        for seed in chosen {
            if let end, clock.now >= end { break }
            CrashNote.set(seed)
            let verdict = simulate(seed: seed, answersOnly: answersOnly)
            totals.add(verdict)
            if let violation = verdict.violation, !json {
                print("seed \(seed): \(violation)\n    twinline-sim --seed \(seed)")
                // A run of a night is looked at before its end.
                fflush(nil)
            }
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
            for line in missing { print(line) }
            let rates = "\(Int(Double(totals.answers) / seconds)) answers and \(Int(totals.simulatedSeconds / seconds))"
            print("in \(Int(seconds)) s: \(rates) simulated seconds a second")
            print(totals.line)
        }
        if !totals.violations.isEmpty || !missing.isEmpty { throw ExitCode(1) }
    }

    private var chosen: AnySequence<UInt64> {
        get throws {
            if let list { return AnySequence(try Self.seeds(of: list)) }
            if let seeds { return AnySequence(from..<from + seeds) }
            let first = from == 1 ? UInt64.random(in: 1 << 20...1 << 40) : from
            if !json {
                print("seeds from \(first)")
                fflush(nil)
            }
            return AnySequence(first...)
        }
    }

    static func seeds(of list: String) throws -> [UInt64] {
        try text(of: list).split(separator: "\n").compactMap { line in
            if line.hasPrefix("#") { return nil }
            guard let seed = line.split(separator: " ").first.flatMap({ UInt64($0) }) else {
                throw ValidationError("\(list): no seed begins the line \"\(line)\"")
            }
            return seed
        }
    }

    private static func text(of path: String) throws -> String {
        do { return try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw ValidationError("can't read \(path): \(error.localizedDescription)")
        }
    }

    /// Begins a change that some hundred runs take, and others don't: neither is a failure.
    private static let rare = "~ "

    /// What none of the runs has done, and should have; and what is excepted from that without need.
    private func missing(in coverage: Coverage) throws -> [String] {
        guard let transitions else { return [] }
        let table = TransitionTable.changes(in: try Self.text(of: transitions))
        let text = try except.map(Self.text) ?? ""
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
        let rare = lines.filter { $0.hasPrefix(Self.rare) }.map { String($0.dropFirst(Self.rare.count)) }
        let excepted = lines.filter { !$0.hasPrefix(Self.rare) }
        let never =
            table.filter { coverage.transitions[$0] == nil && !excepted.contains($0) && !rare.contains($0) }
            + Coverage.allRules.filter { coverage.rules[$0] == nil }
        return never.map { "never taken: \($0)" }
            + excepted.filter { coverage.transitions[$0] != nil }.map { "excepted, and taken: \($0)" }
            + (excepted + rare).filter { !table.contains($0) }.map { "excepted, and not in the table: \($0)" }
    }
}
