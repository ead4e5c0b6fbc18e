import FoundationEssentials
import Replication
import Testing

@testable import Store

/// When the write-ahead log is copied into the database, and what may be said then.
struct CheckpointTests {
    private func walSize(_ path: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int ?? 0
    }

    @Test("a long write-ahead log is copied, and the position that is then on the disk is the one applied")
    func whenDue() throws {
        let folder = try TemporaryFolder()
        let database = try ReplicatedDatabase.create(at: folder.file("db"))
        let (session, _) = try database.openSession()
        var checkpoints = 0
        var largest = 0
        for number in 1...600 {
            try database.perform([
                StoreRequest(
                    session: session, sequence: Int64(number), answeredBelow: Int64(number), actor: "seat/1",
                    body: .command(openTicket(UInt64(number), text: String(repeating: "wet ", count: 5000))))
            ])
            if let position = try database.checkpoint() {
                #expect(position == database.applied)
                checkpoints += 1
            }
            largest = max(largest, try walSize(folder.file("db")))
        }
        #expect(checkpoints >= 2)
        // 1,000 pages and a transaction, with their headers.
        #expect(largest < 5 << 20)
    }

    @Test("a reader that holds an old snapshot keeps the position from being called durable, and then no longer does")
    func heldBack() throws {
        let folder = try TemporaryFolder()
        let database = try ReplicatedDatabase.create(at: folder.file("db"))
        let (session, _) = try database.openSession()
        #expect(try database.checkpoint(now: true) == database.applied)
        let reader = try Connection.open(folder.file("db"), readOnly: true)
        try reader.execute("BEGIN; SELECT count(*) FROM sqlite_schema;")
        try database.perform([
            StoreRequest(
                session: session, sequence: 1, answeredBelow: 1, actor: "seat/1", body: .command(openTicket(1)))
        ])
        #expect(try database.checkpoint(now: true) == nil)
        try reader.execute("COMMIT")
        #expect(try database.checkpoint(now: true) == database.applied)
    }

    @Test("a write-ahead log that grew under a long reader is cut when it starts over, and not in ordinary work")
    func shrinks() throws {
        let folder = try TemporaryFolder()
        let database = try ReplicatedDatabase.create(at: folder.file("db"))
        let (session, _) = try database.openSession()
        let text = String(repeating: "wet ", count: 50_000)
        var number: Int64 = 0
        func open() throws {
            number += 1
            try database.perform([
                StoreRequest(
                    session: session, sequence: number, answeredBelow: number, actor: "seat/1",
                    body: .command(openTicket(UInt64(number), text: text)))
            ])
            _ = try database.checkpoint()
        }
        var sizes: [Int] = []
        for _ in 0..<100 {
            try open()
            sizes.append(try walSize(folder.file("db")))
        }
        let ordinary = try #require(sizes.last)
        #expect(sizes == sizes.sorted() && ordinary < Checkpoints.sizeLimit / 2)

        let reader = try Connection.open(folder.file("db"), readOnly: true)
        try reader.execute("BEGIN; SELECT count(*) FROM sqlite_schema;")
        while try walSize(folder.file("db")) < 2 * Checkpoints.sizeLimit { try open() }
        try reader.execute("COMMIT")
        // Copied by one commit's checkpoint, started over by the next.
        for _ in 0..<2 { try open() }
        #expect(try walSize(folder.file("db")) == Checkpoints.sizeLimit)
        #expect(try database.integer("SELECT count(*) FROM tickets") == number)
    }

    @Test("what a checkpoint called durable is in the database's file, without the write-ahead log")
    func durable() throws {
        let folder = try TemporaryFolder()
        let database = try ReplicatedDatabase.create(at: folder.file("db"))
        _ = try database.openSession()
        let position = try database.checkpoint(now: true)
        // As after a power cut that took all of the write-ahead log.
        try FileManager.default.copyItem(atPath: folder.file("db"), toPath: folder.file("copy"))
        let copy = try ReplicatedDatabase.open(at: folder.file("copy"))
        #expect(position == copy.applied && copy.digest == database.digest)
    }
}
