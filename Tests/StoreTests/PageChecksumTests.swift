import CSQLiteSession
import FoundationEssentials
import Glibc
import Replication
import Testing

@testable import Store

/// What a disk has changed in the database is found when it is read.
struct PageChecksumTests {
    private let folder: TemporaryFolder
    private let path: String
    private let applied: Position

    /// A database of some pages, all of it in its file.
    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("db with % and ?")
        let database = try ReplicatedDatabase.create(at: path)
        let (session, _) = try database.openSession()
        for number in 1...20 {
            try database.perform([
                StoreRequest(
                    session: session, sequence: Int64(number), answeredBelow: 1, actor: "seat/1",
                    body: .command(openTicket(UInt64(number), text: String(repeating: "wet ", count: 100))))
            ])
        }
        applied = database.applied
        _ = try database.checkpoint(now: true)
    }

    private func readAll() throws(StoreError) {
        let database = try ReplicatedDatabase.open(at: path)
        guard try database.recomputeDigest() == database.digest, database.applied == applied else {
            throw .damaged(path: path, message: "other contents")
        }
    }

    /// Flips one bit of the file for as long as the body runs.
    private func flipping(_ bit: Int, at offset: Int, _ body: () throws -> Void) throws {
        let file = open(path, O_RDWR)
        defer { close(file) }
        var byte: UInt8 = 0
        try #require(pread(file, &byte, 1, off_t(offset)) == 1)
        byte ^= 1 << bit
        try #require(pwrite(file, &byte, 1, off_t(offset)) == 1)
        try body()
        byte ^= 1 << bit
        try #require(pwrite(file, &byte, 1, off_t(offset)) == 1)
    }

    @Test("every page has its number and its checksum")
    func stamped() throws {
        let bytes = try Data(contentsOf: URL(filePath: path))
        #expect(bytes.count > 10 * 4096 && bytes[20] == 8)
        for start in stride(from: 0, to: bytes.count, by: 4096) {
            let page = Array(bytes[start..<start + 4096])
            let number = UInt32(start / 4096 + 1)
            #expect(page.withUnsafeBytes { PageChecksums.isValid($0, number: number) }, "page \(number)")
            #expect(!page.withUnsafeBytes { PageChecksums.isValid($0, number: number + 1) }, "page \(number)")
        }
        try readAll()
    }

    @Test("one flipped bit, wherever it is in a page that is read, is named and nothing is answered")
    func flipped() throws {
        // Of the file's header and schema, and of a table's rows: all bits with TWINLINE_LONG, else one of each byte.
        let bits = ProcessInfo.processInfo.environment["TWINLINE_LONG"] == nil ? 1 : 8
        for page in [1, try root(of: "tickets")] {
            for index in 0..<4096 {
                for bit in 0..<bits {
                    try flipping((index + bit) % 8, at: (page - 1) * 4096 + index) {
                        let error = #expect(throws: StoreError.self) { try readAll() }
                        guard case .damaged(path, let message)? = error, message.contains("page \(page) ") else {
                            Issue.record("page \(page), byte \(index): \(String(describing: error))")
                            return
                        }
                    }
                }
            }
        }
        try readAll()
    }

    @Test("a page in another's place is found")
    func misdirected() throws {
        let page = try root(of: "tickets")
        let file = open(path, O_RDWR)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        try #require(pread(file, &bytes, 4096, off_t((try root(of: "history") - 1) * 4096)) == 4096)
        try #require(pwrite(file, bytes, 4096, off_t((page - 1) * 4096)) == 4096)
        #expect(throws: StoreError.damaged(path: path, message: "page \(page) is not what was written")) {
            try readAll()
        }
    }

    @Test("a first page that a power cut has torn in a checkpoint comes from SQLite's log", arguments: [true, false])
    func tornFirstPage(beginsNew: Bool) throws {
        let torn = folder.file("torn")
        let database = try ReplicatedDatabase.open(at: path)
        let (session, _) = try database.openSession()
        try database.perform([
            StoreRequest(
                session: session, sequence: 1, answeredBelow: 1, actor: "seat/1",
                body: .command(openTicket(30, text: String(repeating: "wet ", count: 5_000))))
        ])
        for end in ["", "-wal"] { try FileManager.default.copyItem(atPath: path + end, toPath: torn + end) }
        _ = try database.checkpoint(now: true)

        var bytes = try Data(contentsOf: URL(filePath: torn))
        let old = bytes[..<4096]
        let new = try Data(contentsOf: URL(filePath: path))[..<4096]
        bytes.replaceSubrange(..<4096, with: beginsNew ? new[..<512] + old[512...] : old[..<512] + new[512...])
        #expect(bytes[..<4096] != old && bytes[..<4096] != new)
        try bytes.write(to: URL(filePath: torn))

        let found = try ReplicatedDatabase.open(at: torn)
        #expect(found.applied == database.applied)
        #expect(try found.recomputeDigest() == database.digest)
    }

    private func root(of table: String) throws -> Int {
        let connection = try Connection.open(path, readOnly: true)
        let select = try Statement(connection, "SELECT rootpage FROM sqlite_schema WHERE name = '\(table)'")
        return try #require(try select.first { Int($0.integer(0)) })
    }
}
