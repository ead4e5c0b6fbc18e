import Testing

@testable import Replication

/// Where two logs part, from their tables alone.
struct EpochTableTests {
    @Test("a log knows the epoch of each entry that it retains")
    func epochAt() {
        let table = EpochTable(epochs: 1, 1, 4, 5)
        #expect((0...5).map { table.epoch(at: LSN($0)) } == [Epoch.zero, 1, 1, 4, 5].map { $0 } + [nil])
        #expect(table.last == Position(5, 4))
    }

    @Test("a cut forgets what follows, and what it forgot may be written anew")
    func cut() {
        var table = EpochTable(epochs: 1, 1, 4, 5)
        table.cut(to: LSN(2))
        #expect(table == EpochTable(epochs: 1, 1))
        table.append(Position(3, 3))
        #expect(table == EpochTable(epochs: 1, 1, 3))
        table.cut(to: .zero)
        #expect(table == EpochTable())
        table.cut(to: LSN(7))
        #expect(table == EpochTable())
    }

    @Test("what was released is no longer known, but its last position is")
    func release() {
        var table = EpochTable(epochs: 1, 1, 4, 4, 5)
        table.release(through: LSN(3))
        #expect(table.base == Position(4, 3))
        #expect((2...5).map { table.epoch(at: LSN($0)) } == [nil, 4, 4, 5])
        #expect(table.starts == [Position(4, 4), Position(5, 5)])
        table.release(through: LSN(5))
        #expect(table.base == Position(5, 5) && table.starts == [] && table.last == Position(5, 5))
        table.append(Position(5, 6))
        #expect(table.epoch(at: LSN(6)) == 5)
    }

    @Test("a cut back to the base leaves the base")
    func cutToBase() {
        var table = EpochTable(epochs: 1, 1, 4, 4)
        table.release(through: LSN(3))
        table.cut(to: LSN(3))
        #expect(table.last == Position(4, 3))
    }

    @Test("two logs agree up to the shorter end of the highest epoch that both hold")
    func common() {
        let primary = EpochTable(epochs: 1, 1, 4, 4)
        #expect(primary.common(with: EpochTable(epochs: 1, 1, 1)) == Position(1, 2))
        #expect(primary.common(with: EpochTable(epochs: 1, 1, 4)) == Position(4, 3))
        #expect(primary.common(with: EpochTable(epochs: 1, 3)) == Position(1, 1))
        #expect(primary.common(with: primary) == Position(4, 4))
        #expect(primary.common(with: EpochTable()) == .zero)
        #expect(EpochTable().common(with: EpochTable(epochs: 1)) == .zero)
        #expect(primary.common(with: EpochTable(epochs: 3)) == .zero)
    }

    @Test("a log that no longer reaches back is compared at its base")
    func commonAtBase() {
        var primary = EpochTable(epochs: 1, 1, 4, 4)
        primary.release(through: LSN(2))
        #expect(primary.common(with: EpochTable(epochs: 1, 1, 1)) == Position(1, 2))
        #expect(primary.common(with: EpochTable(epochs: 1)) == Position(1, 1))
        #expect(EpochTable(epochs: 1, 1, 2).common(with: primary) == Position(1, 2))
        primary.release(through: LSN(4))
        #expect(primary.common(with: EpochTable(epochs: 1, 1, 4, 4, 4)) == Position(4, 4))
        #expect(primary.common(with: EpochTable(epochs: 1, 1, 4)) == Position(4, 3))
        #expect(primary.common(with: EpochTable(epochs: 1, 1)) == nil)
    }

    /// Against the plain definition: entry by entry, over all small logs of two nodes that share a history.
    @Test("the last common position is the last entry that both logs hold")
    func againstDefinition() {
        let logs = histories(length: 4)
        for left in logs {
            for right in logs where consistent(left, right) {
                let agree = zip(left, right).prefix { $0 == $1 }.count
                let expected = agree == 0 ? Position.zero : Position(left[agree - 1], UInt64(agree))
                #expect(table(left).common(with: table(right)) == expected, "\(left) and \(right)")
            }
        }
    }

    private func table(_ epochs: [UInt64]) -> EpochTable {
        var table = EpochTable()
        for (index, epoch) in epochs.enumerated() { table.append(Position(epoch, UInt64(index + 1))) }
        return table
    }

    /// All logs of up to so many entries with epochs 1, 2 and 3, none lower than the one before.
    private func histories(length: Int) -> [[UInt64]] {
        guard length > 0 else { return [[]] }
        return [[]]
            + histories(length: length - 1).flatMap { log in
                (max(1, log.last ?? 1)...3).map { log + [$0] }
            }
    }

    /// An epoch has one leader, so what it wrote follows one log: where both hold entries of it, they begin alike.
    private func consistent(_ left: [UInt64], _ right: [UInt64]) -> Bool {
        Set(left).intersection(right).allSatisfy { epoch in
            let (begin, other) = (left.firstIndex(of: epoch) ?? 0, right.firstIndex(of: epoch) ?? 0)
            return begin == other && left[..<begin] == right[..<other]
        }
    }
}

extension Epoch: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: UInt64) { self.init(value) }
}
