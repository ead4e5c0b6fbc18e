import Replication
import Testing
import Tickets
import Wire

@testable import Engine

/// A node that begins to lead with more in its log than in its database.
struct TakingLeadTests {
    private let seat = TestSeat()
    private let pair: TestPair
    /// Its session and number, and so its answer, stay the same however often it is sent.
    private let request: SeatRequest

    /// A pair with a session.
    init() throws {
        pair = try TestPair()
        try pair.formPair()
        let opening = SeatRequest(session: 0, sequence: 1, answeredBelow: 0, body: .openSession)
        pair[.a].database.submit(PendingWrite(request: opening, actor: "seat/1", bytes: 10, connection: seat))
        try pair.pump()
        guard case .sessionOpened(let session)? = pair[.a].answers.last?.outcome else { throw NoSession() }
        let ticket = OpenTicket(id: TicketID(high: 7, low: 1), openedAt: 1, category: "Lights", text: "dark")
        request = SeatRequest(session: session, sequence: 1, answeredBelow: 0, body: .command(.open(ticket)))
    }

    private struct NoSession: Error {}

    private func submit() {
        pair[.a].database.submit(PendingWrite(request: request, actor: "seat/1", bytes: 100, connection: seat))
    }

    @Test("it takes no request before its database has the log: what is in there would be done once more")
    func appliesFirst() throws {
        _ = pair.kill(.b)
        try pair.run(milliseconds: 1000)
        submit()
        _ = try pair[.a].database.work()
        pair[.a].databaseStuck = true
        try pair.pump()
        let answered = try #require(pair[.a].answers.last)
        #expect(answered.sequence == 1 && answered.outcome != .notNow(.notPrimary))
        // Answered from the log, and not yet in the database: so much is in no cache after a restart.
        let record = pair.kill(.a)
        try pair.start(.a, record)
        pair[.a].log.holdsReads = true
        pair[.a].engine.peerRefused()
        try pair.run(milliseconds: 600)
        #expect(pair[.a].serves)

        submit()
        try pair.pump()
        try #require(!pair[.a].database.database.hasOpenBatch, "a request is done beside what is to be applied")
        pair[.a].log.holdsReads = false
        try pair.pump()
        #expect(pair[.a].answers.last?.outcome == answered.outcome)
        #expect(pair[.a].database.database.applied == pair[.a].log.log.last)
        #expect(pair[.a].halts.isEmpty)
    }

    @Test("seats hear of an epoch once it is on the disk: killed before, the winner goes on in the older one")
    func tellsWhatIsSaved() throws {
        pair[.b].log.holdsNewEpochs = true
        _ = pair.kill(.a)
        try pair.run(milliseconds: 1000)
        let won = pair.register.epoch
        try #require(pair.register.primary == .b && won > pair[.b].log.saved.epoch)
        #expect(pair[.b].standings.allSatisfy { $0.epoch < won })

        pair[.b].log.holdsNewEpochs = false
        try pair.pump()
        #expect(pair[.b].standings.last == Standing(epoch: won, role: .primary))
    }
}
