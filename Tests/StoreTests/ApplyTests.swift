import Replication
import Testing
import Tickets

@testable import Store

@Suite("applying as standby")
struct ApplyTests {
    let folder: TemporaryFolder
    let primary: ReplicatedDatabase
    let standby: ReplicatedDatabase
    /// What the primary did: a session, three tickets, a dispatch, a note.
    let entries: [Entry]

    init() throws {
        folder = try TemporaryFolder()
        primary = try ReplicatedDatabase.create(at: folder.file("primary"))
        standby = try ReplicatedDatabase.create(at: folder.file("standby"))
        let (session, first) = try primary.openSession()
        var entries = [first]
        let commands: [Command] = [
            openTicket(1), openTicket(2), openTicket(3), .dispatch(ticketID(2), unit: "roads", note: ""),
            .note(ticketID(1), text: "called again"),
        ]
        for (index, command) in commands.enumerated() {
            let request = StoreRequest(
                session: session, sequence: Int64(index + 1), actor: "seat/1", body: .command(command))
            entries.append(try primary.perform([request]).entry)
        }
        self.entries = entries.compactMap { $0 }
    }

    private func error(_ body: () throws -> Void) -> StoreError? {
        do { try body() } catch { return error as? StoreError }
        return nil
    }

    @Test("entries give the same rows, digest and position, one by one or together")
    func sameRows() throws {
        try standby.apply(Array(entries[..<2]))
        for entry in entries[2...] { try standby.apply([entry]) }
        #expect(standby.applied == primary.applied)
        #expect(standby.digest == primary.digest)
        #expect(try standby.dump() == primary.dump())
        #expect(try standby.recomputeDigest() == primary.digest)
        let reopened = try ReplicatedDatabase.open(at: standby.path)
        #expect(reopened.standing == standby.standing)
    }

    @Test("entries that are applied already are passed over")
    func passedOver() throws {
        try standby.apply(Array(entries[..<3]))
        try standby.apply(Array(entries[..<2]))
        try standby.apply(entries)
        #expect(standby.digest == primary.digest)
    }

    @Test("an entry that doesn't follow is out of order, and nothing of its batch is applied")
    func outOfOrder() throws {
        let before = standby.standing
        #expect(
            error { try standby.apply([entries[0], entries[2]]) }
                == .outOfOrder(position: entries[2].position, applied: entries[0].position))
        #expect(standby.standing == before)
        try standby.apply(entries)
        let old = Entry(
            position: Position(Epoch(0), applied.next), kind: .mark, schemaVersion: 1, digest: standby.digest,
            payload: [])
        #expect(error { try standby.apply([old]) } == .outOfOrder(position: old.position, applied: standby.applied))
    }

    private var applied: LSN { standby.applied.lsn }

    @Test("a mark only moves the position")
    func mark() throws {
        try standby.apply(entries)
        let mark = Entry(
            position: Position(Epoch(2), applied.next), kind: .mark, schemaVersion: 1, digest: primary.digest,
            payload: [])
        try standby.apply([mark])
        #expect(standby.applied == mark.position)
        #expect(try standby.dump() == primary.dump())
    }

    @Test("a digest that differs is found, and the entry is not applied")
    func digestDiffers() throws {
        var wrong = entries[1]
        wrong.digest.value ^= 1
        try standby.apply([entries[0]])
        #expect(
            error { try standby.apply([wrong]) }
                == .digestDiffers(position: wrong.position, expected: wrong.digest, found: entries[1].digest))
        #expect(standby.applied == entries[0].position)
        try standby.apply(entries)
    }

    @Test("an entry for another schema version is refused")
    func schemaVersionDiffers() throws {
        var wrong = entries[0]
        wrong.schemaVersion = 2
        #expect(
            error { try standby.apply([wrong]) }
                == .schemaVersionDiffers(position: wrong.position, expected: 2, found: 1))
    }

    @Test(
        "a row that is not as the primary had it is found when it changes",
        arguments: [
            "UPDATE tickets SET revision = 7 WHERE revision = 1", "DELETE FROM tickets",
            "UPDATE tickets SET state = 3",
        ])
    func copiesDiffer(_ sql: String) throws {
        try standby.apply(Array(entries[..<4]))
        try standby.run(sql)
        guard
            case .copiesDiffer(let table, let key, let operation, let position)? = error({
                try standby.apply([entries[4]])
            })
        else {
            Issue.record("not found")
            return
        }
        #expect((table, operation, position) == ("tickets", "UPDATE", entries[4].position))
        #expect(key == "x'\(ticketID(2))'")
    }

    @Test("a row that is there already is found when it is inserted")
    func insertedTwice() throws {
        try standby.apply([entries[0]])
        try standby.run("INSERT INTO answers VALUES (\(1 << 32 | 1), x'00')")
        guard case .copiesDiffer("answers", _, "INSERT", _)? = error({ try standby.apply([entries[1]]) }) else {
            Issue.record("not found")
            return
        }
    }

    @Test("a flipped bit is found, unless it only says whether a trigger did it")
    func flippedBits() throws {
        let dispatch = entries[4]
        try standby.apply(Array(entries[...4]))
        let rows = try standby.dump()
        var applied = 0
        let fresh = try (0..<8).map { try ReplicatedDatabase.create(at: folder.file("fresh \($0)")) }
        for standby in fresh { try standby.apply(Array(entries[..<4])) }
        for bit in 0..<dispatch.payload.count * 8 where applied < fresh.count {
            var flipped = dispatch
            flipped.payload[bit / 8] ^= 1 << (bit % 8)
            if error({ try fresh[applied].apply([flipped]) }) == nil {
                #expect(dispatch.payload[bit / 8] == 0 && bit % 8 == 0)
                #expect(try fresh[applied].dump() == rows)
                applied += 1
            }
        }
        // The UPDATE of the ticket, the INSERTs of the history row and the answer.
        #expect(applied == 3)
    }

    @Test("every prefix of a changeset but a whole one is malformed, or its digest differs")
    func prefixes() throws {
        try standby.apply(Array(entries[..<4]))
        for count in 0..<entries[4].payload.count {
            var short = entries[4]
            short.payload.removeLast(short.payload.count - count)
            switch error({ try standby.apply([short]) }) {
            case .malformedEntry(let position, let offset):
                #expect(position == short.position)
                #expect(offset <= count)
            case .digestDiffers: break
            case let other: Issue.record("\(count): \(String(describing: other))")
            }
        }
        try standby.apply(entries)
    }

    @Test("the same numbers as on every other machine: the digest is a format")
    func golden() throws {
        try standby.apply(entries)
        #expect(standby.digest.description == "791cafca59892445e2fb0e50db716f3d")
    }
}
