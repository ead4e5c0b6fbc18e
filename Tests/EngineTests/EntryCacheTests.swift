import Replication
import Testing
import Wire

@testable import Engine

/// What of the log is kept in memory.
struct EntryCacheTests {
    private func frames(_ range: ClosedRange<UInt64>, bytes: Int) -> [EntryFrame] {
        range.map { lsn in
            let entry = Entry(
                position: Position(Epoch(1), LSN(lsn)), kind: .changes, schemaVersion: 1, digest: .zero,
                payload: [UInt8](repeating: 0, count: bytes))
            return EntryFrame(encoding: entry, chainBefore: 0, knownSynced: .zero)
        }
    }

    private func positions(_ found: [EntryFrame]?) -> [UInt64]? { found?.map(\.position.lsn.value) }

    @Test("of what is too much in sum the newest is kept, and of the rest no byte")
    func limit() {
        var cache = EntryCache()
        cache.append(frames(1...4, bytes: EntryCache.limit / 3))
        #expect(cache.count == 2)
        #expect(positions(cache.entries(from: LSN(3), through: LSN(4), maxBytes: .max)) == [3, 4])
        #expect(cache.entries(from: LSN(2), through: LSN(4), maxBytes: .max) == nil)
        cache.append(frames(5...5, bytes: EntryCache.limit + 1))
        #expect(cache.count == 1)
        #expect(positions(cache.entries(from: LSN(5), through: LSN(5), maxBytes: 1)) == [5])
    }

    @Test("what nobody wants any more is dropped, but for the newest")
    func release() {
        var cache = EntryCache()
        cache.append(frames(1...9, bytes: 10))
        cache.release(through: LSN(6))
        #expect(positions(cache.entries(from: LSN(7), through: LSN(8), maxBytes: .max)) == [7, 8])
        cache.release(through: LSN(9))
        #expect(cache.count == 1)
    }

    @Test("a page holds what there is room for, and at least one")
    func page() {
        var cache = EntryCache()
        let three = frames(1...3, bytes: 1000)
        cache.append(three)
        #expect(positions(cache.entries(from: LSN(1), through: LSN(3), maxBytes: three[0].bytes.count + 1)) == [1, 2])
        #expect(positions(cache.entries(from: LSN(2), through: LSN(3), maxBytes: 1)) == [2])
    }
}
