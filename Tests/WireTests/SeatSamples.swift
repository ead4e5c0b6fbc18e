import Replication
import Tickets

@testable import Wire

private let id = TicketID(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10)

extension Codec<SeatRequest> {
    static let seatRequest = Codec(
        encode: { encoded(Twinline_Seat_V1_Request($0)) },
        decode: { bytes throws(MalformedMessage) in try SeatRequest(try decoded(bytes)) })
}

extension Codec<SeatRead> {
    static let seatRead = Codec(
        encode: { encoded(Twinline_Seat_V1_ReadRequest($0)) },
        decode: { bytes throws(MalformedMessage) in try SeatRead(try decoded(bytes)) })
}

extension Codec<Answer> {
    static let answer = Codec(
        encode: { answer in
            var message = Twinline_Seat_V1_Answer(session: 7, sequence: 300, answer)
            // For people, and changed at any time.
            if case .refused = answer { message.refused.text = "why" }
            return encoded(message)
        },
        decode: { bytes throws(MalformedMessage) in try Answer(try decoded(bytes)) })
}

extension Codec<View> {
    static func view(to query: Query) -> Codec {
        Codec(
            encode: { view in
                var position = Position(Epoch(3), LSN(300))
                if case .rows(let rows) = view { position = Position(Epoch(rows.epoch), LSN(rows.lsn)) }
                return encoded(Twinline_Seat_V1_ReadAnswer(number: 5, at: position, view))
            },
            decode: { bytes throws(MalformedMessage) in try View(try decoded(bytes), to: query) })
    }
}

extension Sample {
    private static func request(_ name: String, _ command: Command) -> Sample {
        let request = SeatRequest(session: 7, sequence: 300, answeredBelow: 298, body: .command(command))
        return Sample(name, request, .seatRequest)
    }

    private static func read(_ name: String, _ query: Query, _ level: SeatRead.Level) -> Sample {
        Sample(name, SeatRead(number: 5, level: level, query: query), .seatRead)
    }

    private static func refused(_ name: String, _ refusal: Refusal) -> Sample {
        Sample("refused: " + name, .refused(refusal), .answer)
    }

    static let openTicket = OpenTicket(
        id: id, openedAt: 1_800_000_000_000, channel: .other, caller: "Ann", category: "water", district: "Old Town",
        priority: .emergency, confidential: true, text: "a pipe burst", deadline: -1)

    static let ticket = Ticket(
        id: id, state: .returned, openedAt: 1_800_000_000_000, channel: .staff, caller: "Ann", category: "water",
        district: "Old Town", priority: .urgent, confidential: true, text: "a pipe burst", deadline: -1, unit: "roads",
        revision: 3)

    static let rows = [
        HistoryRow(
            ticket: id, revision: 2, at: 1_800_000_000_001, actor: "seat/017", action: .note, state: .accepted,
            unit: "roads", note: "seen"),
        HistoryRow(
            ticket: id, revision: 1, at: 1_800_000_000_000, actor: "seat/018", action: .open, state: .open, unit: "",
            note: ""),
    ]

    static let seatRequests = [
        Sample(
            "open_session", SeatRequest(session: 0, sequence: .max, answeredBelow: 0, body: .openSession),
            .seatRequest),
        request("open", .open(openTicket)),
        request(
            "open without a deadline",
            .open(OpenTicket(id: id, openedAt: 1, category: "water", text: "a pipe burst"))),
        request("dispatch", .dispatch(id, unit: "roads", note: "north")),
        request("accept", .accept(id, note: "now")),
        request("return", .return(id, reason: "not ours")),
        request("complete", .complete(id, result: "mended")),
        request("note", .note(id, text: "called again")),
        read("show", .show(id), .latest),
        read(
            "list", .list(state: .completed, unit: "roads", before: id, limit: 1000),
            .atLeast(Position(Epoch(3), LSN(300)))),
        read("list of all", .list(state: nil, unit: nil, before: nil, limit: 100), .latest),
        read("history", .history(id), .standby()),
    ]

    static let seatAnswers = [
        Sample("done", .done(Done(ticket: id, state: .accepted, revision: 300)), .answer),
        refused("no such ticket", .noSuchTicket(id)),
        refused("ticket exists", .ticketExists(id)),
        refused("not in state", .notInState(id, state: .completed, action: .return)),
        refused("text too long", .textTooLong(field: "note", bytes: 9000, limit: 8000)),
        refused("missing", .missing(field: "reason")),
        refused("not allowed", .notAllowed(actor: "seat/017", action: .open)),
        refused("unknown session", .unknownSession),
        refused("window expired", .windowExpired),
        refused("malformed", .malformed(field: "ticket")),
        Sample("ticket", .ticket(ticket), .view(to: .show(id))),
        Sample("no ticket", .ticket(nil), .view(to: .show(id))),
        Sample("history", .history(rows), .view(to: .history(id))),
    ]
}
