import Histories
import Testing
import Tickets

@Suite struct StandbyTests {
    var story = Story()
    let read = Call.show(ticket, .standby)

    init() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.did(0, command(.note, "a"), done(.open, 2))
        story.pause(milliseconds: 5)
    }

    static func seen(_ revision: Int64, age: Int64? = nil, at position: SeenPosition? = nil) -> Outcome {
        let progress = revision == 0 ? nil : Ticket.Progress(state: .open, unit: "", revision: revision)
        return .ok(.ticket(Sighting(progress, age: age, position: position)))
    }

    @Test("an answer as old as it says is right, and so is an old one that says nothing")
    mutating func good() throws {
        try story.did(1, read, Self.seen(2, age: 0))
        try story.did(1, read, Self.seen(1, age: 10_000_000))
        try story.did(1, read, Self.seen(0))
        #expect(story.verdict.isGood)
        #expect(story.verdict.checks[4].remark.contains("at least 5.0"))
    }

    @Test("older than it says: what had been answered before that is missing")
    mutating func tooOld() throws {
        try story.did(1, read, Self.seen(1, age: 4_000_000))
        #expect(story.anomalies == [.tooOld])
        #expect(story.verdict.violations[0].operations == [1, 2])
    }

    @Test("a limit counts where the answer does not say how old it is")
    mutating func limit() throws {
        try story.did(1, read, Self.seen(1))
        var checker = HistoryChecker()
        checker.standbyAgeLimit = 6_000_000
        #expect(checker.check(story.history).isGood)
        checker.standbyAgeLimit = 4_000_000
        #expect(checker.check(story.history).violations.map(\.anomaly) == [.tooOld])
    }

    @Test("a standby that shows what nobody had asked for is ahead of everybody")
    mutating func phantom() throws {
        try story.did(1, read, Self.seen(3))
        try story.did(0, command(.note, "b"), done(.open, 3))
        #expect(story.anomalies == [.phantom])
    }

    @Test("a standby that shows what nobody ever asked for has made it up")
    mutating func madeUp() throws {
        try story.did(1, read, Self.seen(5))
        #expect(story.anomalies == [.phantom])
    }

    @Test("what is under way may be there already")
    mutating func underWay() throws {
        try story.begin(0, command(.note, "b"))
        try story.did(1, read, Self.seen(3))
        try story.end(0, done(.open, 3))
        #expect(story.verdict.isGood)
    }

    @Test("a revision is on the standby what it was answered as")
    mutating func otherState() throws {
        let progress = Ticket.Progress(state: .completed, unit: "", revision: 2)
        try story.did(1, read, .ok(.ticket(Sighting(progress))))
        #expect(story.anomalies == [.notLinearizable])
    }

    @Test("a further position shows no less")
    mutating func positions() throws {
        let (near, far) = (SeenPosition(epoch: 1, lsn: 4), SeenPosition(epoch: 3, lsn: 6))
        try story.did(1, read, Self.seen(1, at: far))
        try story.did(2, read, Self.seen(1, at: near))
        #expect(story.verdict.isGood)
        try story.did(2, read, Self.seen(2, at: near))
        #expect(Set(story.anomalies) == [.lost, .notLinearizable])
    }

    @Test("what a standby shows does not bind the primary's reads, nor the reverse")
    mutating func apart() throws {
        try story.did(1, show, shown(.open, 2))
        try story.did(1, read, Self.seen(1))
        #expect(story.verdict.isGood)
    }
}
