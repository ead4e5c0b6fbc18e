import FoundationEssentials
import Replication
import Tickets

@testable import Store

/// A folder of its own for each test, gone with it.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/twinline-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
}

func ticketID(_ number: UInt64) -> TicketID { TicketID(high: 0x0190_0000_0000_0000, low: number) }

func openTicket(_ number: UInt64, text: String = "a pipe burst") -> Command {
    .open(
        OpenTicket(
            id: ticketID(number), openedAt: 1000, caller: "Li", category: "water", district: "north", text: text))
}

extension ReplicatedDatabase {
    /// Executes and commits one request as the next entry, which it gives back.
    @discardableResult
    func perform(_ requests: [StoreRequest], now: Int64 = 1000) throws -> (batch: Batch, entry: Entry?) {
        let position = Position(Epoch(1), applied.lsn.next)
        let batch = try execute(requests, now: now)
        guard !batch.changeset.isEmpty else { return (batch, nil) }
        let entry = Entry(
            position: position, kind: batch.kind, schemaVersion: schemaVersion, digest: batch.digest,
            payload: batch.changeset)
        try commit(at: position)
        return (batch, entry)
    }

    func openSession(actor: String = "seat/1") throws -> (session: Int64, entry: Entry?) {
        let (batch, entry) = try perform([StoreRequest(actor: actor, body: .openSession)])
        guard case .sessionOpened(let session) = batch.outcomes[0] else { return (0, nil) }
        return (session, entry)
    }

    /// One request of the platform's, executed and committed.
    @discardableResult
    func sql(
        _ body: StoreRequest.Body, _ session: Int64, _ sequence: Int64
    ) throws -> (answer: Answer?, entry: Entry?, batch: Batch) {
        let request = StoreRequest(session: session, sequence: sequence, actor: "service/1", body: body)
        let (batch, entry) = try perform([request])
        if case .answer(let answer, _) = batch.outcomes.first { return (answer, entry, batch) }
        return (nil, entry, batch)
    }

    /// SQL that a test needs beside the store's own.
    func run(_ sql: String) throws {
        try connection.access { _ throws(StoreError) in try connection.execute(sql) }
    }

    func integer(_ sql: String) throws -> Int64 {
        try connection.access { _ throws(StoreError) in
            try Statement(connection, sql).first { $0.integer(0) } ?? -1
        }
    }

    /// All rows of all replicated tables, as text with types.
    func dump() throws -> String { try connection.access { _ throws(StoreError) in try connection.dump(tables) } }
}

extension Connection {
    func dump(_ tables: [ReplicatedTable]) throws(StoreError) -> String {
        var text = ""
        for table in tables {
            let columns = table.columns.map { "quote(\(quoted($0.name))) || typeof(\(quoted($0.name)))" }
            let keys = table.columns.filter(\.isKey).map { quoted($0.name) }
            let select = try Statement(
                self,
                """
                SELECT \(columns.joined(separator: " || '|' || ")) FROM \(quoted(table.name))
                ORDER BY \(keys.joined(separator: ", "))
                """)
            text += table.name + "\n"
            while try select.step() { text += select.text(0) + "\n" }
        }
        return text
    }
}
