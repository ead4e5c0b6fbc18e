import Replication
import TestSupport
import Testing
import Tickets

@testable import Store

/// Random statements of every kind on the platform's tables, in requests that fail as often as they succeed, between
/// tickets' requests and schema changes.
@Suite("the platform's SQL and the copy")
struct SQLFuzzTests {
    private static let schema = CaptureFuzzTests.schema.split(separator: "\n")
        .filter { !$0.contains("_twinline_mine (id") }.joined(separator: "\n")
        .replacing(" INSERT INTO _twinline_mine VALUES (NULL, new.n);", with: "")

    private static let changes = [
        "CREATE INDEX a_x ON a (x, r); DROP INDEX a_n; CREATE INDEX a_n ON a (n, t)",
        "ALTER TABLE b ADD COLUMN more NOT NULL DEFAULT 'x'; ALTER TABLE w ADD COLUMN last",
        "ALTER TABLE b RENAME COLUMN more TO less; CREATE TABLE z (id INTEGER NOT NULL PRIMARY KEY)",
        "ALTER TABLE b DROP COLUMN less; ALTER TABLE w DROP COLUMN last; DROP TABLE z; DROP INDEX a_x",
    ]

    @Test("both copies stay the same, whatever fails", arguments: 0..<8)
    func fuzz(seed: UInt64) throws {
        var numbers = SeededRandom(seed &+ 1000)
        let pair = try DatabasePair(Self.schema)
        var (ticket, done, undone, change) = (UInt64(0), 0, 0, 0)
        for round in 1...40 {
            var requests: [StoreRequest] = []
            for _ in 0..<Int.random(in: 1...5, using: &numbers) {
                ticket += 1
                requests.append(pair.next(.command(openTicket(ticket))))
                let statements = (0..<Int.random(in: 1...3, using: &numbers)).map { _ in
                    SQLStatement(CaptureFuzzTests.statement(&numbers), expect: Bool.random(using: &numbers) ? nil : 1)
                }
                requests.append(pair.next(.execute(statements)))
            }
            for outcome in try pair.perform(requests) {
                if case .answer(.executed, _) = outcome { done += 1 }
                if case .answer(.refused, _) = outcome { undone += 1 }
            }
            if round % 5 == 0 {
                let answer = try pair.change(Self.changes[change % 4])
                #expect(answer == .schemaChanged(version: UInt32(change + 3)))
                change += 1
            }
        }
        #expect(done > 10 && undone > 10)
        try pair.expectEqual()
    }
}
