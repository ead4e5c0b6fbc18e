/// Rows of a CSV file as RFC 4180 has them: fields in quotes may hold commas and line ends, and a quote there is
/// written twice. A row that is not so is thrown, and the next call goes on behind it: one slip costs one row.
///
/// Where to go on is the question: a quote that is never closed makes one field of all that follows. So whatever is
/// wrong with a row's quotes, its length or its number of fields, reading resumes at the line after the one on which
/// the row began. (Unless a row of several lines has properly closed quotes and only the wrong number of fields, and
/// none of its lines would be a row by itself: then it is one row with one fault.)
struct CSVReader {
    /// Counted from 1. A column is a character, not a byte.
    struct Place: Equatable, Sendable {
        var line: Int
        var column: Int
    }

    struct Field: Sendable {
        var bytes: [UInt8]
        var place: Place
    }

    /// Two texts of the greatest length that a ticket takes, and what stands around them.
    static let rowLimit = 3 << 20

    private struct Cursor {
        var offset = 0
        var line = 1
        /// Where the line begins.
        var lineStart = 0
    }

    private let bytes: [UInt8]
    private var cursor = Cursor()
    /// As in the first row.
    private var fieldCount: Int?

    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// A byte order mark at the beginning is passed over.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { (cursor.offset, cursor.lineStart) = (3, 3) }
    }

    /// Empty lines are no rows. Nil at the end.
    mutating func next() throws(UnreadableRow) -> [Field]? {
        skipEmptyLines()
        guard cursor.offset < bytes.count else { return nil }
        let start = cursor
        do throws(UnreadableRow) {
            var end = start
            let fields = try row(&end)
            guard let fieldCount, fields.count != fieldCount else {
                if fieldCount == nil { fieldCount = fields.count }
                cursor = end
                return fields
            }
            cursor = holdsRow(after: start, before: end, of: fieldCount) ? lineAfter(start) : end
            throw UnreadableRow(
                Place(line: start.line, column: 1), row: start.line,
                "\(fields.count) fields, where the header has \(fieldCount)")
        } catch {
            if cursor.offset == start.offset { cursor = lineAfter(start) }
            throw error
        }
    }

    private mutating func skipEmptyLines() {
        while cursor.offset < bytes.count {
            if bytes[cursor.offset] == Self.lineFeed {
                endLine(&cursor)
            } else if endsLine(cursor.offset) {
                cursor.offset += 1
            } else {
                return
            }
        }
    }

    /// Reads one row and moves behind it.
    private func row(_ at: inout Cursor) throws(UnreadableRow) -> [Field] {
        let start = at
        var fields: [Field] = []
        while true {
            fields.append(try field(&at, row: start))
            guard at.offset < bytes.count else { return fields }
            if bytes[at.offset] == Self.comma {
                at.offset += 1
                continue
            }
            if bytes[at.offset] == Self.carriageReturn { at.offset += 1 }
            if at.offset < bytes.count { endLine(&at) }
            return fields
        }
    }

    /// Reads one field, up to the comma or line end behind it.
    private func field(_ at: inout Cursor, row: Cursor) throws(UnreadableRow) -> Field {
        let start = at
        let isQuoted = at.offset < bytes.count && bytes[at.offset] == Self.quote
        var found: [UInt8] = []
        if isQuoted {
            at.offset += 1
            found = try quoted(&at, from: start, row: row)
        }
        while at.offset < bytes.count, bytes[at.offset] != Self.comma, !endsLine(at.offset) {
            let byte = bytes[at.offset]
            if isQuoted { throw fault(at, row, "text follows a closing quote; within a field a quote is doubled") }
            if byte == Self.quote {
                throw fault(at, row, "a quote within a field that is not in quotes; put the field in quotes")
            }
            if byte == Self.carriageReturn { throw fault(at, row, "a carriage return within a field not in quotes") }
            found.append(byte)
            at.offset += 1
            if at.offset - row.offset > Self.rowLimit { throw tooLong(row) }
        }
        return Field(bytes: found, place: place(start))
    }

    /// What stands in quotes; moves behind the closing one.
    private func quoted(_ at: inout Cursor, from start: Cursor, row: Cursor) throws(UnreadableRow) -> [UInt8] {
        var found: [UInt8] = []
        while at.offset < bytes.count {
            let byte = bytes[at.offset]
            if byte == Self.quote {
                at.offset += 1
                guard at.offset < bytes.count, bytes[at.offset] == Self.quote else { return found }
            }
            found.append(byte)
            if byte == Self.lineFeed { endLine(&at) } else { at.offset += 1 }
            if at.offset - row.offset > Self.rowLimit { throw tooLong(row) }
        }
        throw fault(start, row, "the quote that opens here is never closed")
    }

    /// Whether one of the lines within is a row by itself.
    private func holdsRow(after start: Cursor, before end: Cursor, of fieldCount: Int) -> Bool {
        var line = lineAfter(start)
        while line.offset < end.offset {
            var at = line
            if let fields = try? row(&at), fields.count == fieldCount { return true }
            line = lineAfter(line)
        }
        return false
    }

    private func lineAfter(_ start: Cursor) -> Cursor {
        var at = start
        at.offset = bytes[at.offset...].firstIndex(of: Self.lineFeed) ?? bytes.count
        if at.offset < bytes.count { endLine(&at) }
        return at
    }

    /// Past a line feed.
    private func endLine(_ at: inout Cursor) {
        at.offset += 1
        at.line += 1
        at.lineStart = at.offset
    }

    private func endsLine(_ offset: Int) -> Bool {
        if bytes[offset] == Self.lineFeed { return true }
        guard bytes[offset] == Self.carriageReturn else { return false }
        return offset + 1 == bytes.count || bytes[offset + 1] == Self.lineFeed
    }

    private func place(_ at: Cursor) -> Place {
        // All bytes but those that go on with a character.
        let before = bytes[at.lineStart..<at.offset].count { $0 & 0b1100_0000 != 0b1000_0000 }
        return Place(line: at.line, column: before + 1)
    }

    private func fault(_ at: Cursor, _ row: Cursor, _ reason: String) -> UnreadableRow {
        UnreadableRow(place(at), row: row.line, reason)
    }

    private func tooLong(_ row: Cursor) -> UnreadableRow {
        UnreadableRow(
            Place(line: row.line, column: 1), row: row.line,
            "the row is longer than \(Self.rowLimit) bytes; is a quote never closed?")
    }
}

/// A row of an input that can't be read, and why.
struct UnreadableRow: Error, CustomStringConvertible {
    /// Of the row, or of the field that is at fault.
    var place: CSVReader.Place
    /// The line that the row begins on.
    var row: Int
    var reason: String

    init(_ place: CSVReader.Place, row: Int, _ reason: String) {
        (self.place, self.row, self.reason) = (place, row, reason)
    }

    var description: String {
        let beginning = row == place.line ? "" : " (the row begins on line \(row))"
        return "line \(place.line), column \(place.column): \(reason)\(beginning)"
    }
}
