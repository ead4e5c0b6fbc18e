import Replication
import Testing
import Tickets

@testable import Store

/// A primary's database and a standby's, and a session of the platform's: what the one does is applied to the other,
/// and both must then be the same.
final class DatabasePair {
    let folder: TemporaryFolder
    let primary, standby: ReplicatedDatabase
    let session: Int64
    var sequence: Int64 = 0

    /// - Parameter schema: what the platform's tables are.
    init(_ schema: String = "") throws {
        folder = try TemporaryFolder()
        primary = try ReplicatedDatabase.create(at: folder.file("primary"))
        standby = try ReplicatedDatabase.create(at: folder.file("standby"))
        let (session, first) = try primary.openSession(actor: "service/1")
        self.session = session
        try apply(first)
        if !schema.isEmpty { #expect(try change(schema) == .schemaChanged(version: 2)) }
    }

    func apply(_ entry: Entry?) throws {
        if let entry { try standby.apply([entry]) }
        #expect(standby.standing == primary.standing)
    }

    /// The next request.
    func next(_ body: StoreRequest.Body) -> StoreRequest {
        sequence += 1
        return StoreRequest(session: session, sequence: sequence, actor: "service/1", body: body)
    }

    @discardableResult
    func perform(_ requests: [StoreRequest]) throws -> [Outcome] {
        let (batch, entry) = try primary.perform(requests)
        try apply(entry)
        return batch.outcomes
    }

    @discardableResult
    func execute(_ statements: SQLStatement...) throws -> Answer? { answer(try perform([next(.execute(statements))])) }

    @discardableResult
    func change(_ sql: String) throws -> Answer? { answer(try perform([next(.changeSchema(sql))])) }

    private func answer(_ outcomes: [Outcome]) -> Answer? {
        if case .answer(let answer, remembered: false) = outcomes.first { answer } else { nil }
    }

    /// The same rows, and the digest that they add up to.
    func expectEqual(_ location: SourceLocation = #_sourceLocation) throws {
        #expect(try standby.dump() == primary.dump(), sourceLocation: location)
        #expect(try standby.tables.map(\.header) == primary.tables.map(\.header), sourceLocation: location)
        #expect(try primary.recomputeDigest() == primary.digest, sourceLocation: location)
        #expect(try standby.recomputeDigest() == primary.digest, sourceLocation: location)
    }
}

/// Why it was refused.
func reason(_ answer: Answer?) -> String? {
    if case .refused(.statementFailed(_, let reason)) = answer { reason } else { nil }
}
