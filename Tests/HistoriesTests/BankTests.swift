import Histories
import Testing

@Suite struct BankTests {
    var story = Story()
    let read = Call.balances(.latest)

    init() throws { try story.did(0, .accounts(["a/1": 10, "b/1": 10]), .ok(.done)) }

    static func move(_ amount: Int64) -> Call { .transfer(from: "a/1", to: "b/1", amount: amount) }
    static func found(_ a: Int64, _ b: Int64) -> Outcome { .ok(.balances(["a/1": a, "b/1": b])) }

    @Test("snapshots with the total, and with what was answered, are right")
    mutating func good() throws {
        try story.did(0, Self.move(3), .ok(.done))
        try story.did(0, read, Self.found(7, 13))
        try story.begin(1, Self.move(2))
        try story.did(0, read, Self.found(7, 13))
        try story.did(0, read, Self.found(5, 15))
        try story.end(1, .unknown)
        try story.did(0, .balances(.standby), Self.found(10, 10))
        #expect(story.verdict.isGood)
        #expect(story.verdict.checks[2].operations == 7)
    }

    @Test(
        "a snapshot of half a transfer has the wrong total, on the standby as well",
        arguments: [
            ReadSource.latest, .standby,
        ])
    mutating func halfATransfer(_ source: ReadSource) throws {
        try story.begin(0, Self.move(3))
        try story.did(1, .balances(source), Self.found(7, 10))
        #expect(story.anomalies == [.wrongTotal])
    }

    @Test("a transfer that was answered and is not there is lost")
    mutating func lost() throws {
        try story.did(0, Self.move(3), .ok(.done))
        try story.did(0, Self.move(2), .ok(.done))
        try story.did(0, read, Self.found(8, 12))
        #expect(story.anomalies == [.lost])
        #expect(story.verdict.violations[0].operations == [1, 3])
    }

    @Test("a transfer done twice keeps the total, and is found all the same")
    mutating func twice() throws {
        try story.did(0, Self.move(3), .ok(.done))
        try story.did(0, read, Self.found(4, 16))
        #expect(story.anomalies == [.duplicated])
    }

    @Test("balances that no transfers lead to are named")
    mutating func wrongBalance() throws {
        try story.did(0, Self.move(3), .failed(nil))
        try story.begin(1, Self.move(2))
        try story.did(0, read, Self.found(7, 13))
        #expect(story.anomalies == [.wrongBalance])
    }

    @Test("an account that is missing is no snapshot of all")
    mutating func missingAccount() throws {
        try story.did(0, read, .ok(.balances(["a/1": 20])))
        #expect(story.anomalies == [.wrongTotal])
    }

    @Test("without accounts nothing is claimed")
    func noAccounts() throws {
        var story = Story()
        try story.did(0, read, Self.found(1, 2))
        #expect(story.verdict.undecided.count == 1)
    }

    @Test("sums that need more than 64 bits are no way to crash it")
    func overflow() throws {
        var story = Story()
        try story.did(0, .accounts(["a/1": .max, "b/1": .max]), .ok(.done))
        try story.did(0, Self.move(.max), .ok(.done))
        try story.did(0, Self.move(.min), .unknown)
        try story.did(1, read, Self.found(.max, .max))
        #expect(story.anomalies.isEmpty == false)
    }
}
