import Replication

/// Reads a line of the notation that `Show.swift` writes, word by word.
struct Words {
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    let line: String
    private var rest: ArraySlice<String>

    init(_ line: String) {
        self.line = line
        rest = line.split(separator: " ").map(String.init)[...]
    }

    var isEmpty: Bool { rest.isEmpty }

    mutating func next(_ expected: String) throws -> String {
        guard let word = rest.popFirst() else { throw Unreadable(description: "\(expected) missing: \(line)") }
        return word
    }

    func unreadable(_ word: String, _ expected: String) -> Unreadable {
        Unreadable(description: "\(word) is no \(expected): \(line)")
    }

    /// Takes these words if they come next.
    mutating func take(_ words: String...) -> Bool {
        guard rest.starts(with: words) else { return false }
        rest = rest.dropFirst(words.count)
        return true
    }

    /// What follows this word, if it comes next; else the usual value.
    mutating func take<Value>(
        _ word: String, else usual: Value, _ read: (inout Words) throws -> Value
    ) throws -> Value {
        take(word) ? try read(&self) : usual
    }

    mutating func expect(_ words: String...) throws {
        for word in words {
            let found = try next(word)
            guard found == word else { throw unreadable(found, word) }
        }
    }

    func checkEnd() throws {
        if let word = rest.first { throw unreadable(word, "end of the line") }
    }

    mutating func count(after prefix: String = "") throws -> UInt64 {
        let word = try next("number")
        guard word.hasPrefix(prefix), let value = UInt64(word.dropFirst(prefix.count)) else {
            throw unreadable(word, "\(prefix)number")
        }
        return value
    }

    mutating func lsn() throws -> LSN { LSN(try count()) }
    mutating func epoch() throws -> Epoch { Epoch(try count(after: "e")) }
    mutating func disk() throws -> RandomID {
        let value = try count()
        return RandomID(high: value, low: value)
    }
    mutating func node() throws -> NodeName {
        let word = try next("node")
        guard let node = NodeName(rawValue: word) else { throw unreadable(word, "node") }
        return node
    }

    /// `e3:2`
    mutating func position() throws -> Position {
        let run = try run()
        guard run.first == run.last.lsn else { throw unreadable(run.show, "position") }
        return run.last
    }

    /// `e1:1,e2:2..4`, or `nothing`.
    mutating func run() throws -> Run {
        let word = try next("entries")
        guard word != "nothing" else { return .empty }
        var run = Run.empty
        for stretch in word.split(separator: ",") {
            let parts = stretch.split(whereSeparator: { ":.".contains($0) })
            guard parts.count == 2 || parts.count == 3, let epoch = UInt64(parts[0].dropFirst()),
                let first = UInt64(parts[1]), let last = UInt64(parts[parts.count - 1]), parts[0].hasPrefix("e")
            else { throw unreadable(word, "run of entries") }
            if first == 0 { return Run(Position(epoch, 0)) }
            for lsn in first...last { run.append(Position(Epoch(epoch), LSN(lsn))) }
        }
        return run
    }

    mutating func log() throws -> EpochTable {
        let run = try run()
        return EpochTable(starts: run.starts, last: run.last)
    }

    static func number(_ word: some StringProtocol) -> UniqueNumber? {
        let parts = word.split(separator: ".")
        guard parts.count == 2, let process = UInt64(parts[0], radix: 16), let counter = UInt64(parts[1]) else {
            return nil
        }
        return UniqueNumber(process: process, counter: counter)
    }
}
