import FoundationEssentials
import Replication
import SwiftProtobuf
import Testing
import Tickets

@testable import Wire

private let id = TicketID(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10)

private let commands: [Command] = [
    .open(OpenTicket(id: id, openedAt: 5, channel: .app, category: "water", priority: .urgent, text: "a pipe burst")),
    .open(OpenTicket(id: id, openedAt: -1, caller: "x", category: "", confidential: true, text: "", deadline: -7)),
    .dispatch(id, unit: "roads", note: "n"), .accept(id, note: ""), .return(id, reason: "not ours"),
    .complete(id, result: "mended"), .note(id, text: "🚰"),
]

private let queries: [Query] = [
    .show(id), .history(id), .list(state: nil, unit: nil, before: nil, limit: 100),
    .list(state: .returned, unit: "roads", before: id, limit: 1000),
]

private let refusals: [Refusal] = [
    .noSuchTicket(id), .ticketExists(id), .notInState(id, state: .completed, action: .return),
    .textTooLong(field: "text", bytes: 9, limit: 8), .missing(field: "reason"),
    .notAllowed(actor: "seat/1", action: .open), .unknownSession, .windowExpired, .malformed(field: "ticket"),
    .withdrawn,
]

/// As it would be after the network.
private func sent<M: SwiftProtobuf.Message>(_ message: M) throws -> M {
    try M(serializedBytes: message.serializedBytes() as [UInt8])
}

@Test("a ticket id is sixteen big-endian bytes")
func ticketIDBytes() throws {
    #expect(id.bytes == Data(1...16))
    #expect(try TicketID(id.bytes) == id)
    #expect(try TicketID(Data(0...20)[1...16]) == id)
}

@Test("a ticket id of another length is malformed", arguments: [0, 1, 15, 17, 32])
func ticketIDLength(_ count: Int) {
    #expect(throws: MalformedMessage(field: "before")) { try TicketID(Data(count: count), field: "before") }
}

@Test("a command survives the network", arguments: commands)
func commandRoundTrip(_ command: Command) throws {
    let request = SeatRequest(session: 7, sequence: 9, answeredBelow: 3, body: .command(command))
    #expect(try SeatRequest(sent(Twinline_Seat_V1_Request(request))) == request)
    #expect(try Command(sent(Twinline_Seat_V1_Request(command))) == command)
}

@Test("the opening of a session survives the network, with whatever number it has")
func openSessionRoundTrip() throws {
    let request = SeatRequest(session: 0, sequence: .max, answeredBelow: 0, body: .openSession)
    #expect(try SeatRequest(sent(Twinline_Seat_V1_Request(request))) == request)
}

@Test("a query survives the network", arguments: queries)
func queryRoundTrip(_ query: Query) throws {
    for level in [SeatRead.Level.latest, .atLeast(Position(Epoch(3), LSN(9))), .standby(), .standby(maxAge: 7)] {
        let read = SeatRead(number: 5, level: level, query: query)
        #expect(try SeatRead(sent(Twinline_Seat_V1_ReadRequest(read))) == read)
    }
}

@Test("a refusal survives the network and says what to do", arguments: refusals)
func refusalRoundTrip(_ refusal: Refusal) throws {
    let message = try sent(Twinline_Seat_V1_Answer(session: 1, sequence: 2, .refused(refusal)))
    #expect(try Answer(message) == .refused(refusal))
    #expect(message.refused.text.hasSuffix("."))
}

@Test("an answer of done survives the network")
func doneRoundTrip() throws {
    let done = Answer.done(Done(ticket: id, state: .accepted, revision: 4))
    let message = try sent(Twinline_Seat_V1_Answer(session: 1, sequence: 2, done))
    #expect(try Answer(message) == done)
    #expect((message.session, message.sequence) == (1, 2))
}

@Test("a view survives the network")
func viewRoundTrip() throws {
    let ticket = Ticket(
        id: id, state: .returned, openedAt: 1, channel: .web, caller: "c", category: "k", district: "d",
        priority: .emergency, confidential: true, text: "t", deadline: 0, unit: "u", revision: 3)
    let row = HistoryRow(
        ticket: id, revision: 2, at: 8, actor: "seat/017", action: .dispatch, state: .dispatched, unit: "u", note: "n")
    let views: [(Query, View)] = [
        (.show(id), .ticket(ticket)), (.show(id), .ticket(nil)), (.history(id), .history([row])),
        (.list(state: nil, unit: nil, before: nil, limit: 9), .tickets([ticket, ticket])),
    ]
    for (query, view) in views {
        let answer = Twinline_Seat_V1_ReadAnswer(number: 6, at: Position(Epoch(2), LSN(4)), view)
        #expect(try View(sent(answer), to: query) == view)
        #expect((answer.number, answer.positionEpoch, answer.positionLsn) == (6, 2, 4))
    }
}

@Test("an answer of another kind than the query asked for is malformed")
func viewOfAnotherKind() {
    let history = Twinline_Seat_V1_ReadAnswer(number: 1, at: .zero, .history([]))
    #expect(throws: MalformedMessage(field: "outcome")) { try View(history, to: .show(id)) }
    let none = Twinline_Seat_V1_ReadAnswer()
    #expect(throws: MalformedMessage(field: "outcome")) { try View(none, to: .history(id)) }
}

@Test("a hostile request is malformed, at the field that is wrong")
func hostileRequests() throws {
    func field(_ change: (inout Twinline_Seat_V1_Request) -> Void) -> String? {
        let honest = SeatRequest(session: 7, sequence: 9, answeredBelow: 3, body: .command(commands[0]))
        var message = Twinline_Seat_V1_Request(honest)
        change(&message)
        do throws(MalformedMessage) { _ = try SeatRequest(message) } catch { return error.field }
        return nil
    }
    #expect(field { _ in } == nil)
    #expect(field { $0.session = 0 } == "session")
    #expect(field { $0.session = 1 << 31 } == "session")
    #expect(field { $0.session = .max } == "session")
    #expect(field { $0.sequence = 0 } == "sequence")
    #expect(field { $0.sequence = 1 << 32 } == "sequence")
    #expect(field { $0.answeredBelow = 10 } == "answered_below")
    #expect(field { $0.answeredBelow = .max } == "answered_below")
    #expect(field { $0.open.ticket = Data() } == "ticket")
    #expect(field { $0.open.channel = 0 } == "channel")
    #expect(field { $0.open.channel = .max } == "channel")
    #expect(field { $0.open.priority = 4 } == "priority")
    #expect(field { $0.command = nil } == "command")
    #expect(field { $0.accept = Twinline_Seat_V1_Accept() } == "ticket")
    #expect(field { $0.command = .openSession(Twinline_Seat_V1_OpenSession()) } == "session")
}

@Test("a hostile read is malformed, at the field that is wrong")
func hostileReads() {
    func field(_ change: (inout Twinline_Seat_V1_ReadRequest) -> Void) -> String? {
        var message = Twinline_Seat_V1_ReadRequest(SeatRead(number: 1, level: .latest, query: queries[3]))
        change(&message)
        do throws(MalformedMessage) { _ = try SeatRead(message) } catch { return error.field }
        return nil
    }
    #expect(field { _ in } == nil)
    #expect(field { $0.level = .UNRECOGNIZED(3) } == "level")
    #expect(field { $0.query = nil } == "query")
    #expect(field { $0.list.state = 6 } == "state")
    #expect(field { $0.list.before = Data(count: 15) } == "before")
    #expect(field { $0.list.limit = 1001 } == "limit")
    #expect(field { $0.show = Twinline_Seat_V1_Show() } == "ticket")
    #expect(field { $0.history.ticket = Data(count: 17) } == "ticket")
    for number in [Count.messageLimit, .max] {
        #expect(field { ($0.level, $0.atLeastEpoch) = (.atLeast, number) } == "at_least_epoch")
        #expect(field { ($0.level, $0.atLeastLsn) = (.atLeast, number) } == "at_least_lsn")
        #expect(field { ($0.number, $0.atLeastLsn) = (number, number) } == nil)
    }
}

@Test("a hostile answer is malformed, at the field that is wrong")
func hostileAnswers() {
    func field(_ outcome: Twinline_Seat_V1_Answer.OneOf_Outcome?) -> String? {
        var message = Twinline_Seat_V1_Answer()
        message.outcome = outcome
        do throws(MalformedMessage) { _ = try Answer(message) } catch { return error.field }
        return nil
    }
    var done = Twinline_Seat_V1_Done(Done(ticket: id, state: .open, revision: 1))
    #expect(field(.done(done)) == nil)
    done.revision = .max
    #expect(field(.done(done)) == "revision")
    done.state = 0
    #expect(field(.done(done)) == "state")
    #expect(field(.refused(Twinline_Seat_V1_Refusal())) == "reason")
    #expect(field(nil) == "outcome")
}

@Test("a hostile refusal is malformed, at the field that is wrong")
func hostileRefusals() {
    func field(_ refusal: Refusal, _ change: (inout Twinline_Seat_V1_Refusal) -> Void) -> String? {
        var message = Twinline_Seat_V1_Refusal(refusal)
        change(&message)
        do throws(MalformedMessage) { _ = try Refusal(message) } catch { return error.field }
        return nil
    }
    for refusal in refusals[...2] { #expect(field(refusal) { $0.ticket = Data(count: 15) } == "ticket") }
    for number in [0, 7, 1 << 31, .max] as [UInt32] {
        #expect(field(refusals[2]) { $0.state = number } == "state")
        #expect(field(refusals[2]) { $0.action = number } == "action")
        #expect(field(refusals[5]) { $0.action = number } == "action")
    }
    #expect(field(refusals[3]) { ($0.bytes, $0.limit) = (.max, .max) } == nil)
    #expect(field(refusals[6]) { $0.reason = .UNRECOGNIZED(10) } == "reason")
}

@Test("a hostile view is malformed, at the field that is wrong")
func hostileViews() {
    func field(_ view: View, to query: Query, _ change: (inout Twinline_Seat_V1_ReadAnswer) -> Void) -> String? {
        var message = Twinline_Seat_V1_ReadAnswer(number: 1, at: .zero, view)
        change(&message)
        do throws(MalformedMessage) { _ = try View(message, to: query) } catch { return error.field }
        return nil
    }
    func ticket(_ change: (inout Twinline_Seat_V1_Ticket) -> Void) -> String? {
        field(.ticket(Sample.ticket), to: .show(id)) { change(&$0.tickets.tickets[0]) }
    }
    func row(_ change: (inout Twinline_Seat_V1_HistoryRow) -> Void) -> String? {
        field(.history(Sample.rows), to: .history(id)) { change(&$0.history.rows[1]) }
    }
    #expect(ticket { _ in } == nil)
    #expect(ticket { $0.ticket = Data(count: 15) } == "ticket")
    #expect(ticket { $0.state = 6 } == "state")
    #expect(ticket { $0.channel = 7 } == "channel")
    #expect(ticket { $0.priority = 4 } == "priority")
    #expect(ticket { $0.revision = 1 << 63 } == "revision")
    #expect(ticket { ($0.openedAt, $0.deadline) = (.min, .max) } == nil)
    #expect(row { _ in } == nil)
    #expect(row { $0.ticket = Data() } == "ticket")
    #expect(row { $0.revision = .max } == "revision")
    #expect(row { $0.action = 7 } == "action")
    #expect(row { $0.state = 0 } == "state")
    #expect(field(.tickets([Sample.ticket, Sample.ticket]), to: .show(id)) { _ in } == "tickets")
    #expect(field(.tickets([]), to: .history(id)) { _ in } == "outcome")
}
