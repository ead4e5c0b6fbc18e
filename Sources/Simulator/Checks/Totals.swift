/// What many runs add up to.
package struct Totals {
    package private(set) var seeds = 0
    package private(set) var violations: [(seed: UInt64, what: String)] = []
    package private(set) var answers = 0
    package private(set) var nanoseconds: UInt64 = 0
    package private(set) var needPerson = 0
    private var counts: [String: Int] = [:]
    package private(set) var coverage = Coverage()

    package init() {}

    package mutating func add(_ verdict: Verdict) {
        seeds += 1
        if let violation = verdict.violation { violations.append((verdict.seed, violation)) }
        answers += verdict.answers
        nanoseconds += verdict.simulatedNanoseconds
        coverage.add(verdict.coverage)
        if verdict.needsPerson { needPerson += 1 }
        for (name, count) in verdict.counts { counts[name, default: 0] += count }
    }

    /// Injected, by kind.
    package var faults: [(kind: String, count: Int)] {
        counts.filter { $0.key.hasPrefix("fault ") }.map { (String($0.key.dropFirst(6)), $0.value) }
            .sorted { $0.0 < $1.0 }
    }

    /// What else was counted.
    package var others: [(name: String, count: Int)] {
        counts.filter { !$0.key.hasPrefix("fault ") }.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }

    package var faultCount: Int { faults.reduce(0) { $0 + $1.count } }
    package var simulatedSeconds: Double { Double(nanoseconds) / 1e9 }

    /// Hours, with two decimals.
    private var hours: String {
        let hundredths = Int(simulatedSeconds / 36)
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    /// The last line of a run over many seeds.
    package var line: String {
        let kinds = faults.map { "\($0.kind) \($0.count)" }.joined(separator: ", ")
        return "\(seeds) seeds, \(violations.count) violations, \(hours) simulated hours, \(answers) answers, "
            + "\(needPerson) left to a person, \(faultCount) faults: \(kinds)"
    }

    /// One JSON object. Names and reasons hold nothing that JSON would have to escape but quotes.
    package func json(realSeconds: Double) -> String {
        func object(_ pairs: [(String, Int)]) -> String {
            "{" + pairs.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
        }
        let found = violations.map { violation in
            let text = violation.what.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "'")
            return "{\"seed\":\(violation.seed),\"violation\":\"\(text)\"}"
        }
        return "{\"seeds\":\(seeds),\"violations\":[\(found.joined(separator: ","))],"
            + "\"simulated_seconds\":\(Int(simulatedSeconds)),\"real_seconds\":\(Int(realSeconds.rounded(.up))),"
            + "\"answers\":\(answers),\"left_to_a_person\":\(needPerson),"
            + "\"faults\":\(object(faults.map { ($0.kind, $0.count) })),"
            + "\"counts\":\(object(others.map { ($0.name, $0.count) }))}"
    }
}
