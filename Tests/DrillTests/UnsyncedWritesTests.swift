import Testing

@testable import Commands

/// What a power cut leaves of a file.
@Suite struct UnsyncedWritesTests {
    typealias Write = UnsyncedWrites.Write

    private func recorded(_ writes: [Write], from: UInt64 = 8) -> [UInt8] {
        func bytes(_ value: Int) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
        return (0..<8).map { UInt8(truncatingIfNeeded: from >> ($0 * 8)) }
            + writes.flatMap {
                bytes($0.offset) + bytes($0.count) + bytes($0.length) + bytes($0.overwritten.count) + $0.overwritten
            }
    }

    @Test("records are read as they were written, a torn last one is not")
    func reading() {
        let writes = [
            Write(offset: 3, count: 2, length: 9, overwritten: [1, 2]),
            Write(offset: 9, count: 4, length: 9, overwritten: []),
        ]
        let bytes = recorded(writes)
        #expect(UnsyncedWrites(bytes).writes == writes)
        for length in 0..<bytes.count {
            #expect(writes.starts(with: UnsyncedWrites(Array(bytes.prefix(length))).writes))
        }
        // The first one was synced meanwhile.
        #expect(UnsyncedWrites(recorded(writes, from: 8 + 32 + 2)).writes == [writes[1]])
    }

    @Test("without a sync all is as before: overwritten, appended, cut off")
    func everything() {
        var content: [UInt8] = [1, 2, 3, 4, 5]
        let before = content
        var writes: [Write] = []
        // Overwritten twice.
        writes.append(Write(offset: 1, count: 2, length: 5, overwritten: [2, 3]))
        content.replaceSubrange(1..<3, with: [20, 30])
        writes.append(Write(offset: 2, count: 2, length: 5, overwritten: [30, 4]))
        content.replaceSubrange(2..<4, with: [31, 41])
        // Past the end.
        writes.append(Write(offset: 4, count: 4, length: 5, overwritten: [5]))
        content = Array(content[..<4]) + [50, 60, 70, 80]
        // Cut off.
        writes.append(Write(offset: 2, count: 6, length: 8, overwritten: Array(content[2...])))
        content = Array(content[..<2])
        UnsyncedWrites(writes: writes).undo(in: &content)
        #expect(content == before)
    }

    @Test("by chance, each sector is as one of the writes left it")
    func torn() {
        let sector = UnsyncedWrites.sector
        let states = (0...3).map { [UInt8](repeating: UInt8($0), count: 4 * sector) }
        let writes = (0..<3).map {
            Write(offset: 0, count: 4 * sector, length: 4 * sector, overwritten: states[$0])
        }
        var draws = [0, 3, 1, 2, 0].makeIterator()
        var content = states[3]
        UnsyncedWrites(writes: writes).undo(in: &content) { _ in draws.next() ?? 0 }
        #expect((0..<4).map { content[$0 * sector] } == [0, 3, 1, 2])
        #expect((0..<4).allSatisfy { content[$0 * sector] == content[($0 + 1) * sector - 1] })
    }
}
