import Histories
import Testing

/// Hand-made histories of transactions on append lists: those of the literature on isolation.
@Suite struct ListAnomalyTests {
    var story = Story()

    static let x = Label.text("x"), y = Label.text("y"), z = Label.text("z")

    static func append(_ key: Label, _ value: Int64) -> ListStep { .append(key: key, .number(value)) }
    static func read(_ key: Label, _ values: Int64...) -> ListStep { .read(key: key, values.map { .number($0) }) }

    /// As it is asked for: without what the reads find.
    static func asked(_ steps: [ListStep]) -> Call {
        .transaction(steps.map { step in if case .read(let key, _) = step { .read(key: key, nil) } else { step } })
    }

    /// Transactions that all overlap, so that only their reads tell an order. The numbers of those who fail, and of
    /// whom nobody knows, are given.
    mutating func together(_ transactions: [[ListStep]], failed: Set<Int> = [], unknown: Set<Int> = []) throws {
        for (process, steps) in transactions.enumerated() { try story.begin(process, Self.asked(steps)) }
        for (process, steps) in transactions.enumerated() {
            try story.end(
                process,
                failed.contains(process)
                    ? .failed(nil) : unknown.contains(process) ? .unknown : .ok(.transaction(steps)))
        }
    }

    mutating func inTurn(_ transactions: [ListStep]...) throws {
        for steps in transactions { try story.did(0, Self.asked(steps), .ok(.transaction(steps))) }
    }

    @Test("transactions one after another, each seeing all before it, are right")
    mutating func good() throws {
        try inTurn(
            [Self.read(Self.x), Self.append(Self.x, 1)], [Self.append(Self.y, 1), Self.read(Self.x, 1)],
            [Self.read(Self.x, 1), Self.read(Self.y, 1), Self.append(Self.x, 2), Self.read(Self.x, 1, 2)])
        #expect(story.verdict.isGood)
        #expect(story.verdict.checks[3].operations == 3)
    }

    @Test("G0, a write cycle: two write two lists in opposite orders")
    mutating func writeCycle() throws {
        try together([
            [Self.append(Self.x, 1), Self.append(Self.y, 1)], [Self.append(Self.x, 2), Self.append(Self.y, 2)],
            [Self.read(Self.x, 1, 2), Self.read(Self.y, 2, 1)],
        ])
        #expect(story.anomalies == [.writeCycle])
        #expect(Set(story.verdict.violations[0].operations) == [0, 1])
    }

    @Test("G1a, an aborted read")
    mutating func abortedRead() throws {
        try together([[Self.append(Self.x, 1)], [Self.read(Self.x, 1)]], failed: [0])
        #expect(story.anomalies == [.abortedRead])
    }

    @Test("G1b, an intermediate read")
    mutating func intermediateRead() throws {
        try together([
            [Self.append(Self.x, 1), Self.append(Self.x, 2)], [Self.read(Self.x, 1)], [Self.read(Self.x, 1, 2)],
        ])
        #expect(story.anomalies == [.intermediateRead])
    }

    @Test("G1c, circular information flow: each sees the other's work")
    mutating func circularFlow() throws {
        try together([
            [Self.append(Self.x, 1), Self.read(Self.y, 1)], [Self.append(Self.y, 1), Self.read(Self.x, 1)],
        ])
        #expect(story.anomalies == [.circularFlow])
    }

    @Test("G-single, read skew: one list before, the other after")
    mutating func readSkew() throws {
        try together([
            [Self.append(Self.x, 1), Self.append(Self.y, 1)], [Self.read(Self.x), Self.read(Self.y, 1)],
            [Self.read(Self.x, 1)],
        ])
        #expect(story.anomalies == [.readSkew])
        #expect(Set(story.verdict.violations[0].operations) == [0, 1])
    }

    @Test("lost update: both read the same, and append to it")
    mutating func lostUpdate() throws {
        try together([
            [Self.read(Self.x), Self.append(Self.x, 1)], [Self.read(Self.x), Self.append(Self.x, 2)],
            [Self.read(Self.x, 1, 2)],
        ])
        #expect(story.anomalies == [.lostUpdate])
        #expect(Set(story.verdict.violations[0].operations) == [0, 1])
    }

    @Test("G2, write skew: each reads what the other writes, and sees nothing of it")
    mutating func writeSkew() throws {
        try together([
            [Self.read(Self.x), Self.append(Self.y, 1)], [Self.read(Self.y), Self.append(Self.x, 1)],
            [Self.read(Self.x, 1), Self.read(Self.y, 1)],
        ])
        #expect(story.anomalies == [.writeSkew])
        #expect(Set(story.verdict.violations[0].operations) == [0, 1])
    }

    @Test("write skew is found also when no read ever shows the appends")
    mutating func unseenWriteSkew() throws {
        try together([[Self.read(Self.x), Self.append(Self.y, 1)], [Self.read(Self.y), Self.append(Self.x, 1)]])
        #expect(story.anomalies == [.writeSkew])
    }

    @Test("long fork: two see two writes in opposite orders")
    mutating func longFork() throws {
        try together([
            [Self.append(Self.x, 1)], [Self.append(Self.y, 1)], [Self.read(Self.x, 1), Self.read(Self.y)],
            [Self.read(Self.x), Self.read(Self.y, 1)],
        ])
        #expect(story.anomalies == [.longFork])
        #expect(Set(story.verdict.violations[0].operations) == [0, 1, 2, 3])
    }

    @Test("three that miss each other in turn are a cycle of anti-dependencies")
    mutating func threeSkew() throws {
        try together([
            [Self.read(Self.x), Self.append(Self.y, 1)], [Self.read(Self.y), Self.append(Self.z, 1)],
            [Self.read(Self.z), Self.append(Self.x, 1)],
        ])
        #expect(story.anomalies == [.antiDependencyCycle])
    }

    @Test("stale read: answered before it began, and not seen")
    mutating func staleRead() throws {
        try inTurn([Self.append(Self.x, 1)], [Self.read(Self.x)], [Self.read(Self.x, 1)])
        #expect(story.anomalies == [.staleRead])
        #expect(story.verdict.violations[0].operations.sorted() == [0, 1])
    }

    @Test("lost: answered, and never seen")
    mutating func lost() throws {
        try inTurn([Self.append(Self.x, 1)], [Self.append(Self.x, 2)], [Self.read(Self.x, 2)], [Self.read(Self.x, 2)])
        #expect(story.anomalies == [.lost])
    }

    @Test("seen before it was asked for")
    mutating func fromTheFuture() throws {
        try inTurn([Self.read(Self.x, 1)], [Self.append(Self.x, 1)])
        #expect(story.anomalies == [.realTimeCycle])
    }

    @Test("appended in another order than that of the answers")
    mutating func wrongOrder() throws {
        try inTurn([Self.append(Self.x, 1)], [Self.append(Self.x, 2)], [Self.read(Self.x, 2, 1)])
        #expect(story.anomalies == [.realTimeCycle])
    }

    @Test("phantom, duplicated, incompatible orders, and not seeing one's own work")
    mutating func singleReads() throws {
        try together([
            [Self.append(Self.x, 1)], [Self.append(Self.x, 2)], [Self.read(Self.y, 7)], [Self.read(Self.z, 3, 3)],
            [Self.append(Self.z, 3)], [Self.read(Self.x, 1)], [Self.read(Self.x, 2)],
            [Self.append(.text("w"), 9), Self.read(.text("w"))],
        ])
        #expect(Set(story.anomalies) == [.phantom, .duplicated, .incompatibleOrders, .internalInconsistency])
    }

    @Test("what nobody knows the outcome of happened if it was seen, and need not have if not")
    mutating func unknown() throws {
        try together(
            [[Self.append(Self.x, 1)], [Self.append(Self.x, 2)], [Self.read(Self.x, 1)], [Self.read(Self.x, 1)]],
            unknown: [0, 1])
        #expect(story.verdict.isGood)
    }

    @Test("what was not done is seen by nobody, and that is right")
    mutating func failed() throws {
        try together([[Self.append(Self.x, 1)], [Self.read(Self.x)]], failed: [0])
        #expect(story.verdict.isGood)
    }

    @Test("a value appended twice leaves everything open")
    mutating func ambiguous() throws {
        try inTurn([Self.append(Self.x, 1)], [Self.append(Self.x, 1)])
        #expect(story.verdict.undecided.count == 1)
    }

    @Test("an explanation says in words who missed whom")
    mutating func words() throws {
        try inTurn([Self.append(Self.x, 1)], [Self.read(Self.x)], [Self.read(Self.x, 1)])
        let explanation = story.verdict.violations[0].explanation
        #expect(explanation.contains("did not see what") && explanation.contains("was answered before"))
    }
}
