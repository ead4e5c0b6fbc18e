import Replication
import Testing
import Tickets

@testable import Store

@Suite("changes as the log tells of them")
struct LoggedChangeTests {
    let folder: TemporaryFolder
    let database: ReplicatedDatabase
    init() throws {
        folder = try TemporaryFolder()
        database = try ReplicatedDatabase.create(at: folder.file("db"))
    }

    private func request(_ session: Int64, _ sequence: Int64, _ command: Command) -> StoreRequest {
        StoreRequest(session: session, sequence: sequence, actor: "seat/1", body: .command(command))
    }

    @Test("new rows tell all columns, changed ones the key and what has changed, old and new")
    func named() throws {
        let schema = try LoggedSchema()
        let session = try database.openSession().session
        let opened = try #require(try database.perform([request(session, 1, openTicket(1))]).entry)
        let changes = try schema.changes(in: opened)
        #expect(changes.map(\.table) == ["tickets", "history", "answers"])
        #expect(changes.allSatisfy { $0.operation == .insert })
        #expect(changes[0].columns.count == 13)
        #expect(changes[0]["category"] == .init(name: "category", isKey: false, old: nil, new: .text("water")))
        #expect(changes[0]["deadline"]?.new == .null)
        #expect(changes[1].columns.filter(\.isKey).map(\.name) == ["ticket", "revision"])

        let sent = try #require(
            try database.perform([request(session, 2, .dispatch(ticketID(1), unit: "roads", note: ""))]).entry)
        let update = try #require(try schema.changes(in: sent).first)
        #expect(update.operation == .update)
        #expect(update.columns.map(\.name) == ["id", "state", "unit", "revision"])
        #expect(update["unit"] == .init(name: "unit", isKey: false, old: .text(""), new: .text("roads")))
        #expect(update["id"]?.new == nil)
    }

    @Test("columns that a schema change adds have their names once it was met, and numbers before")
    func schemaChange() throws {
        let session = try database.openSession(actor: "service/1").session
        let sql = "CREATE TABLE units (name TEXT NOT NULL PRIMARY KEY); ALTER TABLE units ADD COLUMN size REAL"
        let change = try #require(try database.sql(.changeSchema(sql), session, 1).entry)
        let insert = SQLStatement("INSERT INTO units VALUES (?, ?)", [.text("roads"), .integer(7)])
        let entry = try #require(try database.sql(.execute([insert]), session, 2).entry)
        let late = try LoggedSchema()
        #expect(try late.changes(in: entry).first?.columns.map(\.name) == ["column 1", "column 2"])
        let early = try LoggedSchema()
        #expect(try early.changes(in: change).map(\.table) == ["answers"])
        let changes = try early.changes(in: entry)
        #expect(changes.first?.columns.map(\.name) == ["name", "size"])
        #expect(changes.first?["size"]?.new == .real(7))
        #expect(changes.map(\.table) == ["units", "answers"])
    }

    @Test("a payload that is none is refused at its byte, wherever it is cut short")
    func malformed() throws {
        let schema = try LoggedSchema()
        let session = try database.openSession().session
        var entry = try #require(try database.perform([request(session, 1, openTicket(1))]).entry)
        let payload = entry.payload
        var readable = 0
        for length in 1..<payload.count {
            entry.payload = Array(payload[..<length])
            do throws(StoreError) { if try !schema.changes(in: entry).isEmpty { readable += 1 } } catch {
                guard case .malformedEntry(entry.position, let offset) = error else {
                    Issue.record(error)
                    continue
                }
                #expect(offset <= length)
            }
        }
        // Between two changes, and between a table's header and its first change.
        #expect(readable == 4)
    }
}
