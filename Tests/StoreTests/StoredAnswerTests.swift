import TestSupport
import Testing
import Tickets

@testable import Store

@Suite("stored answers to SQL")
struct StoredAnswerTests {
    static let answers: [Answer] = [
        .executed([]),
        .executed([
            StatementResult(changes: 300),
            StatementResult(
                changes: 1, columns: ["a", "ä", ""],
                rows: [[.null, .integer(-1), .real(-0.0)], [.text("pump €"), .blob([0, 255]), .text("")]]),
            StatementResult(changes: 0, columns: ["x"]),
        ]),
        .schemaChanged(version: 300), .refused(.guardNotMet(statement: 2, expected: 1, found: 300)),
        .refused(.statementFailed(statement: 2, reason: "no such table: x")),
        .refused(.resultTooLarge(statement: 3, limit: 1 << 20)),
        .refused(.changesTooLarge(statement: 3, limit: 16 << 20)),
        .refused(.tookTooLong(statement: 1, milliseconds: 5000)),
    ]

    private func decoded(_ bytes: [UInt8]) -> Answer? { bytes.withUnsafeBytes { Answer(encoded: $0) } }

    @Test("an answer comes back from its bytes, and from no part of them", arguments: answers)
    func roundTrip(_ answer: Answer) {
        let bytes = answer.encoded
        #expect(decoded(bytes) == answer)
        for length in 0..<bytes.count { #expect(decoded(Array(bytes[..<length])) == nil) }
        #expect(decoded(bytes + [0]) == nil)
    }

    @Test("the bytes are those of the format")
    func golden() {
        let one = Answer.executed([StatementResult(changes: 2, columns: ["a"], rows: [[.text("xy")], [.null]])])
        #expect(
            one.encoded == [
                8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0x61, 0, 0, 0, 2, 3, 0, 0, 0, 2, 0x78,
                0x79, 5,
            ])
        #expect(Answer.schemaChanged(version: 258).encoded == [9, 0, 0, 1, 2])
    }

    @Test("numbers that claim more than there is are refused at once, and rows without columns, too")
    func hostile() {
        #expect(decoded([8, 255, 255, 255, 255]) == nil)
        #expect(decoded([8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]) == nil)
        #expect(decoded([8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]) == nil)
        var numbers = SeededRandom(1)
        for answer in Self.answers {
            for _ in 0..<300 {
                var bytes = answer.encoded
                bytes[Int.random(in: 0..<bytes.count, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
                // Whatever it is now, it is a value like any other.
                if let other = decoded(bytes) { #expect(decoded(other.encoded)?.encoded == other.encoded) }
            }
        }
    }
}
