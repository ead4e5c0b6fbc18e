import Foundation
import Seat
import TestSupport
import Testing
import Tickets

@testable import Commands

extension FaultyPair {
    /// Four long notes a megabyte, to a ticket of their own: a log with a low limit soon lets go of its beginning.
    func writeLong(megabytes: Int) async throws {
        let seat = try SeatClient(configuration: pair.seat(1))
        let ticket = TicketID(milliseconds: 1_700_000_000_000, random: (1, .random(in: 0 ... .max)))
        let text = String(repeating: "a long call; ", count: 250_000 / 13)
        for number in 0..<4 * megabytes {
            // The first of them is the ticket's own.
            let command: Command =
                number == 0
                ? .open(OpenTicket(id: ticket, openedAt: 1_700_000_000_000, category: "Street lights", text: text))
                : .note(ticket, text: text)
            _ = try await seat.perform(command, within: Pace.inVain)
        }
        await seat.close()
    }

    /// Until a write is refused for the lack of room; reads are answered all the while. A disk without room takes what
    /// still fits into the log's last segment, and a busy pair may not answer in time: neither is the refusal.
    func waitForRefusal(of ticket: TicketID) async throws {
        let seat = try SeatClient(configuration: pair.seat(1))
        var (done, refused) = ([String](), String?.none)
        try await eventually {
            #expect(try await seat.show(ticket, within: Pace.inVain) != nil)
            let text = "is there room? \(UInt64.random(in: 0 ... .max))"
            do {
                _ = try await seat.perform(.note(ticket, text: text), within: .milliseconds(500).paced)
                done.append(text)
            } catch SeatError.diskFull {
                refused = text
            } catch SeatError.unknown, SeatError.unreachable {}
            return refused != nil
        }
        let notes = Set(try await seat.history(of: ticket, within: Pace.inVain).map(\.note))
        #expect(done.allSatisfy(notes.contains))
        #expect(refused.map(notes.contains) == false)
        await seat.close()
    }
}
