import Histories
import Testing
import Tickets

@Suite struct SetTests {
    var story = Story()

    static func add(_ number: Int64) -> Call { .add(set: .text("s"), .number(number)) }
    static let read = Call.elements(set: .text("s"))
    static func found(_ numbers: Int64...) -> Outcome { .ok(.elements(numbers.map { .number($0) })) }
    static let added = Outcome.ok(.done)

    @Test("reads show what was answered, and perhaps what is under way")
    mutating func good() throws {
        try story.did(0, Self.add(1), Self.added)
        try story.begin(1, Self.add(2))
        try story.did(0, Self.read, Self.found(1))
        try story.did(0, Self.read, Self.found(2, 1))
        try story.end(1, .unknown)
        try story.did(3, Self.add(3), .failed(nil))
        try story.did(0, Self.read, Self.found(1, 2))
        #expect(story.verdict.isGood)
        #expect(story.verdict.checks[1].operations == 6)
    }

    @Test("lost: answered, and in no read that began later")
    mutating func lost() throws {
        try story.did(0, Self.add(1), Self.added)
        try story.did(0, Self.add(2), Self.added)
        try story.did(0, Self.read, Self.found(2))
        try story.did(0, Self.read, Self.found(2))
        #expect(story.anomalies == [.lost])
        #expect(story.verdict.violations[0].operations == [0, 2])
    }

    @Test("lost: it was read, and is gone")
    mutating func lostAfterRead() throws {
        try story.did(0, Self.add(1), Self.added)
        try story.did(0, Self.read, Self.found(1))
        try story.did(0, Self.read, Self.found())
        #expect(story.anomalies == [.lost])
    }

    @Test("stale read: missing, and there later")
    mutating func stale() throws {
        try story.did(0, Self.add(1), Self.added)
        try story.did(0, Self.read, Self.found())
        try story.did(0, Self.read, Self.found(1))
        #expect(story.anomalies == [.staleRead])
    }

    @Test("dirty read: answered to nobody, read, and gone")
    mutating func dirty() throws {
        try story.begin(0, Self.add(1))
        try story.did(1, Self.read, Self.found(1))
        try story.end(0, .unknown)
        try story.did(1, Self.read, Self.found())
        #expect(story.anomalies == [.dirtyRead])
    }

    @Test(
        "duplicated, phantom and aborted elements are named",
        arguments: [
            ([1, 1], Anomaly.duplicated), ([1, 7], .phantom), ([1, 3], .abortedRead), ([1, 4], .phantom),
        ])
    mutating func wrongElements(_ numbers: [Int64], _ anomaly: Anomaly) throws {
        try story.did(0, Self.add(1), Self.added)
        try story.did(0, Self.add(3), .failed(nil))
        try story.did(0, Self.read, .ok(.elements(numbers.map { .number($0) })))
        // Asked for only later.
        try story.did(0, Self.add(4), Self.added)
        #expect(story.anomalies == [anomaly])
    }

    @Test("long fork: two reads see two elements in opposite orders")
    mutating func longFork() throws {
        try story.begin(0, Self.add(1))
        try story.begin(1, Self.add(2))
        try story.begin(2, Self.read)
        try story.begin(3, Self.read)
        try story.end(2, Self.found(1))
        try story.end(3, Self.found(2))
        try story.end(0, Self.added)
        try story.end(1, Self.added)
        #expect(story.anomalies == [.longFork])
        #expect(Set(story.verdict.violations[0].operations) == [0, 1, 2, 3])
    }

    @Test("the tickets are a set: opening adds, a list reads")
    mutating func tickets() throws {
        let other = TicketID(high: 9, low: 9)
        try story.did(0, command(.open), done(.open, 1))
        try story.did(0, .command(other, TicketStep(.open)), done(.open, 1))
        try story.did(0, .list, .ok(.tickets([other, ticket])))
        #expect(story.verdict.isGood)
        try story.did(0, .list, .ok(.tickets([other])))
        #expect(story.anomalies == [.lost])
        #expect(story.verdict.violations[0].subject == "the tickets")
    }

    @Test("each set is one of its own")
    mutating func severalSets() throws {
        try story.did(0, Self.add(1), Self.added)
        try story.did(0, .elements(set: .number(2)), Self.found())
        try story.did(0, Self.read, Self.found(1))
        #expect(story.verdict.isGood)
    }
}
