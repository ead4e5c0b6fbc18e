import Histories
import Testing
import Tickets

/// Hand-made histories of one ticket, good and bad; the bad ones are those that the literature has names for.
@Suite struct TicketAnomalyTests {
    var story = Story()

    @Test("a ticket's whole life is right")
    mutating func life() throws {
        try story.did(0, show, shownNone)
        try story.did(0, command(.open), done(.open, 1))
        try story.did(1, command(.dispatch, "roads"), done(.dispatched, 2))
        try story.did(0, show, shown(.dispatched, 2, unit: "roads"))
        try story.did(1, command(.accept), done(.accepted, 3))
        try story.did(2, command(.return, "not ours"), done(.returned, 4))
        try story.did(0, command(.accept), .failed(.notInState(.returned)))
        try story.did(1, command(.note, "again"), done(.returned, 5))
        try story.did(
            0, .history(ticket),
            .ok(
                .rows([
                    TicketStep(.open), TicketStep(.dispatch, "roads"), TicketStep(.accept),
                    TicketStep(.return, "not ours"),
                    TicketStep(.note, "again"),
                ])))
        #expect(story.verdict.isGood)
        #expect(story.verdict.checks[0].operations == 9)
    }

    @Test("what overlaps may take effect in either order")
    mutating func overlap() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.begin(0, command(.note, "a"))
        try story.begin(1, command(.note, "b"))
        try story.begin(2, show)
        try story.end(2, shown(.open, 2))
        try story.end(0, done(.open, 3))
        try story.end(1, done(.open, 2))
        #expect(story.verdict.isGood)
    }

    @Test("what nobody knows the outcome of may have happened, at any time, or never")
    mutating func unknown() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.did(1, command(.note, "a"), .unknown)
        try story.did(0, show, shown(.open, 1))
        try story.did(0, command(.note, "b"), done(.open, 2))
        try story.did(0, show, shown(.open, 3))
        try story.begin(2, command(.note, "c"))
        try story.did(0, show, shown(.open, 4))
        #expect(story.verdict.isGood)
    }

    @Test("stale read: it began after the answer and does not show it")
    mutating func staleRead() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.did(0, command(.note, "a"), done(.open, 2))
        try story.did(1, show, shown(.open, 1))
        try story.did(1, show, shown(.open, 2))
        #expect(story.anomalies == [.staleRead])
        #expect(story.verdict.violations[0].operations == [1, 2])
    }

    @Test("stale read: a ticket is not found after its opening was answered")
    mutating func notFound() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.did(1, show, shownNone)
        #expect(story.anomalies == [.staleRead])
    }

    @Test("stale read: of two reads the later one shows less")
    mutating func readsGoBack() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.begin(0, command(.note, "a"))
        try story.did(1, show, shown(.open, 2))
        try story.did(2, show, shown(.open, 1))
        try story.end(0, done(.open, 2))
        #expect(story.anomalies == [.staleRead])
        #expect(story.verdict.violations[0].operations == [2, 3])
    }

    @Test("a refusal is a read as well, and can be stale")
    mutating func staleRefusal() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.did(0, command(.note, "a"), .failed(.noSuchTicket))
        #expect(story.anomalies == [.staleRead])
    }

    @Test("dirty read: shown before it was sure, and gone after a failover")
    mutating func dirtyRead() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.begin(0, command(.note, "a"))
        try story.did(1, show, shown(.open, 2))
        try story.end(0, .unknown)
        try story.did(1, show, shown(.open, 1))
        #expect(story.anomalies == [.dirtyRead])
        #expect(story.verdict.violations[0].operations == [2, 3])
    }

    @Test("lost update: two were done, each as if the other had not been")
    mutating func lostUpdate() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.begin(0, command(.note, "a"))
        try story.begin(1, command(.note, "b"))
        try story.end(0, done(.open, 2))
        try story.end(1, done(.open, 2))
        #expect(story.anomalies == [.lostUpdate])
        #expect(story.verdict.violations[0].operations == [1, 2])
    }

    @Test("lost update: a read shows more than what is done after it knows of")
    mutating func updateOfOldState() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.begin(0, command(.note, "a"))
        try story.did(1, show, shown(.open, 2))
        try story.did(1, command(.note, "b"), done(.open, 2))
        try story.end(0, .unknown)
        #expect(story.anomalies == [.lostUpdate])
        #expect(story.verdict.violations[0].operations == [2, 3])
    }

    @Test("lost update: the ticket begins anew")
    mutating func secondOpening() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.did(1, command(.open), done(.open, 1))
        #expect(story.anomalies == [.lostUpdate])
    }

    @Test("aborted read: shown, and answered that it did not happen")
    mutating func abortedRead() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.did(0, command(.note, "a"), .failed(nil))
        try story.did(1, show, shown(.open, 2))
        #expect(story.anomalies == [.abortedRead])
    }

    @Test("phantom: more was done than had been asked for")
    mutating func phantom() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.did(0, show, shown(.open, 3))
        try story.did(0, command(.note, "too late"), done(.open, 4))
        #expect(story.anomalies == [.phantom])
        #expect(story.verdict.violations[0].operations == [1])
    }

    @Test("a state that no command leads to is a phantom")
    mutating func impossibleState() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.did(0, command(.dispatch, "roads"), .unknown)
        try story.did(1, show, shown(.dispatched, 2, unit: "parks"))
        #expect(story.anomalies == [.phantom])
    }

    @Test("what a command is answered has to follow from the rules")
    mutating func againstTheRules() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.did(0, command(.complete, "mended"), done(.completed, 2))
        #expect(story.anomalies == [.phantom])
    }

    static let opened = TicketStep(.open), noted = TicketStep(.note, "a")

    @Test(
        "a reading of the rows tells lost, duplicated, phantom and aborted",
        arguments: [
            ([opened, noted], []), ([opened], [Anomaly.lost]), ([opened, noted, noted], [.duplicated]),
            ([opened, noted, TicketStep(.note, "b")], [.phantom]),
            ([opened, noted, TicketStep(.note, "c")], [.abortedRead]),
            // Nothing is missing or too much, but the order is wrong.
            ([noted, opened], [.phantom]),
        ])
    mutating func rows(_ rows: [TicketStep], _ expected: [Anomaly]) throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.did(0, command(.note, "a"), done(.open, 2))
        try story.did(1, command(.note, "c"), .failed(nil))
        try story.did(1, .history(ticket), .ok(.rows(rows)))
        #expect(story.anomalies == expected, "\(story.verdict.violations)")
    }

    @Test("a row that a later reading has is stale, not lost")
    mutating func staleRows() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.did(0, command(.note, "a"), done(.open, 2))
        try story.did(1, .history(ticket), .ok(.rows([Self.opened])))
        try story.did(1, .history(ticket), .ok(.rows([Self.opened, Self.noted])))
        #expect(story.anomalies == [.staleRead])
    }

    @Test("two readings of the rows in different orders contradict each other")
    mutating func rowsInTwoOrders() throws {
        try story.did(0, command(.open), done(.open, 1))
        try story.begin(0, command(.note, "a"))
        try story.begin(1, command(.note, "b"))
        try story.end(0, .unknown)
        try story.end(1, .unknown)
        let b = TicketStep(.note, "b")
        try story.did(2, .history(ticket), .ok(.rows([Self.opened, Self.noted, b])))
        #expect(story.verdict.isGood)
        try story.did(2, .history(ticket), .ok(.rows([Self.opened, b, Self.noted])))
        #expect(story.anomalies == [.notLinearizable])
        #expect(story.verdict.violations[0].operations == [3, 4])
    }

    @Test("one ticket's contradiction is not another's")
    mutating func locality() throws {
        let other = TicketID(high: 5, low: 5)
        try story.did(0, command(.open), done(.open, 1))
        try story.did(0, .show(other, .latest), shownNone)
        try story.did(0, .command(other, TicketStep(.open)), done(.open, 1))
        try story.did(0, .show(other, .latest), shownNone)
        #expect(story.verdict.violations.map(\.subject) == ["ticket \(other)"])
    }

    @Test("an explanation names the two answers of a thousand that contradict each other")
    mutating func minimal() throws {
        try story.did(0, command(.open), done(.open, 1))
        for number in 2...500 { try story.did(number % 7, command(.note, "\(number)"), done(.open, Int64(number))) }
        try story.did(0, show, shown(.open, 499))
        for number in 501...1000 { try story.did(number % 7, command(.note, "\(number)"), done(.open, Int64(number))) }
        #expect(story.anomalies == [.staleRead])
        #expect(story.verdict.violations[0].operations == [499, 500])
    }

    @Test("what allows of too many orders is called undecided, not right")
    mutating func undecided() throws {
        try story.did(0, command(.open), done(.open, 1))
        for process in 1...12 { try story.begin(process, command(.dispatch, "\(process)")) }
        try story.did(0, command(.note, "a"), done(.dispatched, 3))
        var checker = HistoryChecker()
        checker.effort = 10
        let verdict = checker.check(story.history)
        #expect(verdict.undecided.count == 1 && verdict.violations.isEmpty && !verdict.isGood)
        #expect(story.verdict.isGood)
    }

    @Test("a reading of the rows tells the order of what nobody knows the outcome of")
    mutating func unknownRows() throws {
        try story.did(0, command(.open), done(.open, 1))
        for process in 1...30 { try story.begin(process, command(.note, "\(process)")) }
        for number in 1...15 { try story.did(0, command(.note, "x\(number)"), done(.open, Int64(number * 2 + 1))) }
        let rows = (1...15).flatMap { [TicketStep(.note, "\(31 - $0)"), TicketStep(.note, "x\($0)")] }
        try story.did(0, .history(ticket), .ok(.rows([Self.opened] + rows)))
        #expect(story.verdict.isGood)
    }
}
