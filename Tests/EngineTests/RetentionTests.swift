import Replication
import Testing
import Tickets
import Wire

@testable import Engine

/// What the log keeps: all that the standby or this node's database could still need, and what is let go of is not
/// missed.
@Suite struct RetentionTests {
    private let seat = TestSeat()

    /// Tickets with long texts, so that a few of them fill a segment of 1 MiB.
    private func write(_ numbers: ClosedRange<UInt64>, _ pair: TestPair) throws {
        let member = try #require(pair.primary)
        if numbers.lowerBound == 1 {
            let session = SeatRequest(session: 0, sequence: 1, answeredBelow: 0, body: .openSession)
            member.database.submit(PendingWrite(request: session, actor: "seat/1", bytes: 10, connection: seat))
            try pair.pump()
        }
        for number in numbers {
            let ticket = OpenTicket(
                id: TicketID(high: 7, low: number), openedAt: 1, category: "Lights",
                text: String(repeating: "dark ", count: 50_000))
            let request = SeatRequest(session: 1, sequence: number, answeredBelow: 0, body: .command(.open(ticket)))
            member.database.submit(PendingWrite(request: request, actor: "seat/1", bytes: 100, connection: seat))
            try pair.pump()
        }
        try pair.run(milliseconds: 100)
    }

    private func formedPair() throws -> TestPair {
        let pair = try TestPair()
        try pair.formPair()
        for member in pair.members.values { member.database.checkpoints = true }
        return pair
    }

    @Test("both nodes let go of what both disks and their databases have, and still rejoin from the log")
    func releases() throws {
        let pair = try formedPair()
        try write(1...30, pair)
        for member in pair.members.values {
            #expect(member.log.log.first > LSN(1), "node \(member.name) keeps everything")
            #expect(member.engine.replica.log.base.lsn.next == member.log.log.first)
            // Whatever comes after the newest that is committed may be cut, and something must be left then.
            #expect(member.log.released > LSN(30) && member.log.released <= member.engine.replica.committed)
        }
        let record = pair.kill(.b)
        try pair.run(milliseconds: 500)
        try write(31...33, pair)
        try pair.start(.b, record)
        pair.link()
        try pair.run(milliseconds: 1000)
        #expect(pair[.a].engine.replica.failoverObstacle == nil)
        #expect(pair[.b].database.database.digest == pair[.a].database.database.digest)
        #expect(pair.members.values.allSatisfy { $0.halts.isEmpty })
    }

    @Test("what no checkpoint has put into the database is kept: a power cut may take it from there")
    func keepsForTheDatabase() throws {
        let pair = try formedPair()
        for member in pair.members.values { member.database.checkpoints = false }
        try write(1...30, pair)
        #expect(pair.members.values.allSatisfy { $0.log.log.first == LSN(1) && $0.engine.replica.applied > LSN(30) })
    }

    @Test("what an absent standby lacks is kept, however much that is")
    func keepsForTheAbsent() throws {
        let pair = try formedPair()
        try write(1...3, pair)
        let record = pair.kill(.b)
        try pair.run(milliseconds: 500)
        try write(4...30, pair)
        #expect(pair[.a].log.log.first == LSN(1))
        try pair.start(.b, record)
        pair.link()
        try pair.run(milliseconds: 1000)
        #expect(pair[.a].engine.replica.failoverObstacle == nil)
    }

    @Test("over its limit the log gives up what an absent standby lacks, which then needs a copy of the database")
    func forgetsTheAbsent() throws {
        let pair = try formedPair()
        try write(1...3, pair)
        let record = pair.kill(.b)
        try pair.run(milliseconds: 500)
        pair[.a].log.forgetsAbsent = true
        try write(4...30, pair)
        #expect(pair[.a].log.log.first > LSN(10))
        try pair.start(.b, record)
        pair.link()
        try pair.run(milliseconds: 1000)
        guard case .standby(let standby) = pair[.b].engine.replica.role else {
            Issue.record("not a standby: \(pair[.b].engine.replica.role)")
            return
        }
        #expect(standby.refusal == .reseedNeeded)
        #expect(pair[.a].serves && pair[.a].halts.isEmpty)
        guard case .reseedNeeded? = pair[.b].halts.first else {
            Issue.record("node b goes on: \(pair[.b].halts)")
            return
        }
    }

    @Test("the log is kept from where a copy begins that is being fetched, whatever its limit")
    func pinned() throws {
        let pair = try formedPair()
        try write(1...3, pair)
        _ = pair.kill(.b)
        try pair.run(milliseconds: 500)
        let position = pair[.a].engine.replica.applied
        pair[.a].engine.pinned = position
        pair[.a].log.forgetsAbsent = true
        try write(4...30, pair)
        #expect(pair[.a].log.log.first <= position.next)
        #expect(try pair[.a].log.log.chain(at: position) != nil)
        pair[.a].engine.pinned = nil
        try write(31...33, pair)
        #expect(pair[.a].log.log.first > LSN(10))
    }
}
