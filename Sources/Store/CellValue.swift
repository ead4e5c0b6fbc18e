import CSQLiteSession
import Glibc

/// One value of a row, borrowed from where it lies: SQLite's memory, or an entry's payload. Valid only as long as that.
enum CellValue {
    /// Not part of a change.
    case undefined
    case null
    case integer(Int64)
    case real(Double)
    case text(UnsafeRawBufferPointer)
    case blob(UnsafeRawBufferPointer)

    /// - Parameter isReal: the column has REAL affinity: SQLite stores whole numbers there as integers, and shows
    ///   some as such before they are written. Here they are always real.
    @inline(__always)
    init(_ value: OpaquePointer?, isReal: Bool) {
        switch sqlite3_value_type(value) {
        case SQLITE_INTEGER:
            let integer = sqlite3_value_int64(value)
            self = isReal ? .real(Double(integer)) : .integer(integer)
        case SQLITE_FLOAT: self = .real(sqlite3_value_double(value))
        case SQLITE_TEXT: self = .text(Self.bytes(value))
        case SQLITE_BLOB: self = .blob(Self.bytes(value))
        default: self = .null
        }
    }

    /// The bytes of a text, too: the text function might copy them to end them with a zero.
    @inline(__always)
    private static func bytes(_ value: OpaquePointer?) -> UnsafeRawBufferPointer {
        let start = sqlite3_value_blob(value)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_value_bytes(value)))
    }

    /// Column `column` of the row that a statement stands on.
    init(_ statement: Statement, column: Int32) {
        switch sqlite3_column_type(statement.raw, column) {
        case SQLITE_INTEGER: self = .integer(sqlite3_column_int64(statement.raw, column))
        case SQLITE_FLOAT: self = .real(sqlite3_column_double(statement.raw, column))
        case SQLITE_TEXT: self = .text(statement.blob(column))
        case SQLITE_BLOB: self = .blob(statement.blob(column))
        default: self = .null
        }
    }

    /// The same to the last bit: 2 and 2.0 differ, and so do "a" and "A", whatever the column's collation.
    @inline(__always)
    func isIdentical(to other: CellValue) -> Bool {
        switch (self, other) {
        case (.null, .null), (.undefined, .undefined): true
        case (.integer(let left), .integer(let right)): left == right
        case (.real(let left), .real(let right)): left.bitPattern == right.bitPattern
        case (.text(let left), .text(let right)), (.blob(let left), .blob(let right)):
            left.count == right.count && Self.equal(left, right)
        default: false
        }
    }

    @inline(__always)
    private static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard let left = left.baseAddress, let start = right.baseAddress else { return true }
        return memcmp(left, start, right.count) == 0
    }

    /// As an SQL literal, shortened: for a person.
    var literal: String {
        switch self {
        case .undefined, .null: "NULL"
        case .integer(let integer): "\(integer)"
        case .real(let real): "\(real)"
        case .text(let bytes): "'\(String(decoding: bytes.prefix(64), as: UTF8.self))'"
        case .blob(let bytes):
            "x'" + bytes.prefix(32).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "'"
        }
    }
}
