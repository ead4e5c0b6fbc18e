import Foundation
import Replication
import Testing

@testable import Store
@testable import Commands

/// `twinline verify` on a pair of real processes that seats write to.
extension ProcessTests.VerifyTests {
    @Test("both nodes are verified at one entry while seats write")
    func equal() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        var before = faulty.crew.ledger.counts.writes
        var report = try await PairVerification(view: faulty.pair.view) { _ in }.run()
        // So fast that no seat has written meanwhile: once more.
        while faulty.crew.ledger.counts.writes == before {
            try await faulty.waitForWrites(1)
            before = faulty.crew.ledger.counts.writes
            report = try await PairVerification(view: faulty.pair.view) { _ in }.run()
        }
        #expect(report.verdict == .equal, "\(report.text)")
        let (a, b) = (try #require(report.nodes[.a]), try #require(report.nodes[.b]))
        #expect(a.positionLsn == b.positionLsn && a.computed == b.computed && a.rows == b.rows && a.rows > 0)
        try await faulty.audit()
        // And when nothing is written any more.
        #expect(try await PairVerification(view: faulty.pair.view) { _ in }.run().verdict == .equal)
    }

    @Test("a row changed behind a node's back is found, with node and table")
    func different() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        try await faulty.audit()
        let standby = try await faulty.primary().other
        let node = try #require(faulty.pair.nodes[standby])
        node.kill()
        try change(
            standby, faulty, "UPDATE tickets SET category = category || '!' WHERE id = (SELECT min(id) FROM tickets)")
        try node.start()
        try await faulty.wait { $0.isPaired }
        let (code, printed) = try await verify(faulty)
        #expect(code == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(printed.utf8)) as? [String: Any])
        #expect(object["wrong_nodes"] as? [String] == ["\(standby)"], "\(printed)")
        #expect(object["differing_tables"] as? [String] == ["tickets"], "\(printed)")
        try change(
            standby, faulty,
            "UPDATE tickets SET category = rtrim(category, '!') WHERE id = (SELECT min(id) FROM tickets)")
        #expect(try await verify(faulty).code == 0)
    }

    @Test("without the standby the other one is verified, and that is not called equal")
    func alone() async throws {
        let faulty = try FaultyPair()
        try await faulty.start()
        let standby = try await faulty.primary().other
        faulty.pair.nodes[standby]?.kill()
        try await faulty.wait { $0.primaryStatus?.mode == "solo" }
        let (code, printed) = try await verify(faulty)
        #expect(code == 75)
        #expect(printed.contains("one node only"), "\(printed)")
        try await faulty.audit()
    }

    /// By another process, as an administrator with too many rights would.
    private func change(_ node: NodeName, _ faulty: FaultyPair, _ sql: String) throws {
        let data = faulty.pair.directory.appending(path: "data-\(node)").path
        let name = try #require(
            FileManager.default.enumerator(atPath: data)?.compactMap { $0 as? String }
                .first { $0.hasSuffix("tickets.sqlite") })
        let connection = try Connection.open(data + "/" + name, readOnly: false)
        try connection.access { _ throws(StoreError) in try connection.execute(sql) }
    }

    private func verify(_ faulty: FaultyPair) async throws -> (code: Int32, printed: String) {
        let configuration = faulty.pair.directory.appending(path: "seat.yaml").path
        let (code, printed, _) = try await faulty.command("verify", "--json", "--config", configuration)
        return (code, printed)
    }
}
