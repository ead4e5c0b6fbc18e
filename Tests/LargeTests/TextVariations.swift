import Foundation
import Replication
import Seat
import Tickets

@testable import Commands

/// Tickets without end, made of a real day's: each takes its texts, district, category and times of the year from
/// rows of the sample, so that lengths, alphabets and how often values come again are those of a city.
struct TextVariations: Sendable {
    private let rows: [TicketFile.Row]
    private let streets: [String]
    private let seed: UInt64
    /// Six years of calls.
    private static let span: UInt64 = 6 * 365 * 86_400_000
    private static let begin: Int64 = 1_300_000_000_000

    init(_ file: TicketFile, seed: UInt64) {
        rows = file.rows
        streets = file.rows.compactMap { row in
            let lines = row.open.text.split(separator: "\n")
            return lines.count > 1 ? String(lines[1]) : nil
        }
        self.seed = seed
    }

    /// The ticket of this number, the same for the same seed.
    func ticket(_ number: Int, of count: Int) -> OpenTicket {
        var random = Random(seed: seed &+ UInt64(number) &* 0x9e37_79b9_7f4a_7c15)
        let row = rows[Int.random(in: rows.indices, using: &random)]
        var open = row.open
        open.openedAt = Self.begin + Int64(Self.span * UInt64(number) / UInt64(max(count, 1)))
        open.id = TicketID(
            milliseconds: open.openedAt, random: (.random(in: 0 ... .max, using: &random), UInt64(number)))
        let street = streets[Int.random(in: streets.indices, using: &random)]
        let title = open.text.split(separator: "\n").first.map(String.init) ?? open.text
        open.text = "\(title)\n\(Int.random(in: 1...999, using: &random)) \(street)"
        open.deadline = open.deadline.map { open.openedAt + max($0 - row.open.openedAt, 0) }
        return open
    }
}
