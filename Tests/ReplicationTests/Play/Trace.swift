/// A scenario in a file: what it guards, where it begins, then facts and what follows from them.
///
///     # An entry is committed only when both nodes have it on disk.
///     a paired
///
///     propose
///     log synced 2
///     ----
///     place e3:2
///
/// Several facts may come before one `----`; their effects follow in the same order. When a role changes, its new
/// name comes last, after a `=`.
struct Trace {
    struct Block {
        var facts: [String]
        var outcome: [String]
    }
    var comment: [String]
    var start: String
    var blocks: [Block]

    struct Malformed: Error { let line: String }

    init(_ text: String) throws {
        let paragraphs = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            .split(separator: "").map(Array.init)
        guard let head = paragraphs.first, let start = head.last, head.count > 1,
            head.dropLast().allSatisfy({ $0.hasPrefix("# ") })
        else { throw Malformed(line: "a comment, then one line that says where it begins") }
        comment = Array(head.dropLast())
        self.start = start
        blocks = try paragraphs.dropFirst().map { lines in
            guard let bar = lines.firstIndex(of: "----") else { throw Malformed(line: lines[0]) }
            return Block(facts: Array(lines[..<bar]), outcome: Array(lines[(bar + 1)...]))
        }
    }

    var text: String {
        let head = (comment + [start]).joined(separator: "\n")
        let tail = blocks.map { ($0.facts + ["----"] + $0.outcome).joined(separator: "\n") }
        return ([head] + tail).joined(separator: "\n\n") + "\n"
    }

    /// The same facts, with what follows from them now.
    func played() throws -> Trace {
        var words = Words(start)
        var player = try player(&words)
        try words.checkEnd()
        var trace = self
        for index in blocks.indices {
            let outcome = try blocks[index].facts.flatMap { fact in
                var words = Words(fact)
                let lines = try player.play(&words)
                try words.checkEnd()
                return lines
            }
            trace.blocks[index].outcome = outcome.isEmpty ? ["(nothing)"] : outcome
        }
        return trace
    }

    private func player(_ words: inout Words) throws -> any Player {
        words.take("witness") ? try ScriptedWitness(&words) : try ScriptedNode(&words)
    }
}

/// Takes facts, a line each, and says what follows, a line for each effect.
protocol Player {
    init(_ start: inout Words) throws
    mutating func play(_ fact: inout Words) throws -> [String]
}
