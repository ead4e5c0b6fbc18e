import Foundation
import TestSupport
import Testing

@testable import Commands

/// The sample with bytes changed by chance: nothing crashes, and every row that was not touched is read.
@Suite struct MutationTests {
    /// What a test can know of a row without its random id.
    private struct Known: Hashable {
        var openedAt: Int64
        var text, unit, district, closingNote: String
        init(_ row: TicketFile.Row) {
            (openedAt, text, unit) = (row.open.openedAt, row.open.text, row.unit)
            (district, closingNote) = (row.open.district, row.closingNote)
        }
    }

    /// Bytes that mean something to a reader of CSV come up as often as any other.
    private static let nasty: [UInt8] = [0, 10, 13, 32, 34, 34, 34, 44, 44, 0x80, 0xC3, 0xFF]

    @Test("every untouched row of a mutated file is read", arguments: 0..<12 as Range<UInt64>)
    func mutations(_ seed: UInt64) throws {
        let folder = try #require(InstalledFile.find("sample"))
        let path = folder.appending(path: "boston311_2011-08-28.csv").path
        let sample = [UInt8](try #require(FileManager.default.contents(atPath: path)))
        let starts = lineStarts(sample)
        let whole = try TicketFile(sample, path: path)
        // So that row n of the file stands on line n + 2.
        try #require(whole.unreadable.isEmpty && whole.rows.count == starts.count - 2 && whole.rows.count == 913)
        var random = SeededRandom(seed)
        for _ in 0..<4 {
            var bytes = sample
            var changed: [Int] = []
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                let at = Int.random(in: starts[1]..<sample.count, using: &random)
                bytes[at] =
                    Bool.random(using: &random)
                    ? Self.nasty[Int.random(in: 0..<Self.nasty.count, using: &random)]
                    : bytes[at] ^ 1 << UInt8.random(in: 0..<8, using: &random)
                changed.append(at)
            }
            // A line end that is gone joins two rows.
            let touched = Set(changed.flatMap { at in lines(at, in: starts, sample[at] == 10) }.map { $0 - 2 })
            let file = try TicketFile(bytes, path: path)
            let read = Dictionary(grouping: file.rows.map(Known.init)) { $0 }.mapValues(\.count)
            let untouched = whole.rows.indices.filter { !touched.contains($0) }.map { Known(whole.rows[$0]) }
            for (row, count) in Dictionary(grouping: untouched, by: { $0 }).mapValues(\.count) {
                #expect(read[row, default: 0] >= count, "seed \(seed): \(row)")
            }
            // What was not read is said, row by row.
            #expect(file.rows.count + file.unreadable.count >= 913 - touched.count)
            let startsNow = lineStarts(bytes)
            let changedNow = Set(
                changed.flatMap { at in lines(at, in: startsNow, sample[at] == 10 || bytes[at] == 10) })
            for fault in file.unreadable {
                #expect(changedNow.contains(fault.row) || changedNow.contains(fault.place.line), "\(fault)")
            }
        }
    }

    private func lineStarts(_ bytes: [UInt8]) -> [Int] {
        var starts = [0]
        for (offset, byte) in bytes.enumerated() where byte == 10 { starts.append(offset + 1) }
        return starts
    }

    /// The line that holds the offset, counted from 1, and the one after it.
    private func lines(_ offset: Int, in starts: [Int], _ andNext: Bool) -> [Int] {
        let line = starts.firstIndex { $0 > offset } ?? starts.count
        return andNext ? [line, line + 1] : [line]
    }
}
