import Foundation
import Seat
import TestSupport
import Testing
import Tickets

@testable import twinline

extension FaultyPair {
    /// Until a write is refused for the lack of room; reads are answered all the while. A disk without room takes what
    /// still fits into the log's last segment, and a busy pair may not answer in time: neither is the refusal.
    func waitForRefusal(of ticket: TicketID) async throws {
        let seat = try SeatClient(configuration: pair.seat(1))
        var (done, refused) = ([String](), String?.none)
        try await eventually {
            #expect(try await seat.show(ticket, within: Pace.inVain) != nil)
            let text = "is there room? \(UInt64.random(in: 0 ... .max))"
            do {
                _ = try await seat.perform(.note(ticket, text: text), within: .milliseconds(500))
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
