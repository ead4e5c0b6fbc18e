import CSQLiteSession
import Tickets

/// The platform's statements, prepared: the last few stay.
struct StatementCache {
    private static let limit = 64
    /// Longer ones are seldom sent twice.
    private static let longest = 4096

    private let connection: Connection
    /// By when they were used last, the newest at the end.
    private var kept: [(sql: String, statement: Statement)] = []

    init(_ connection: Connection) { self.connection = connection }

    /// - Throws: `StoreError.sql` with the reason if there isn't exactly one statement that the authorizer's rules, as
    ///   they are now, allow.
    mutating func statement(_ sql: String) throws(StoreError) -> Statement {
        if let index = kept.firstIndex(where: { $0.sql == sql }) {
            let found = kept.remove(at: index)
            kept.append(found)
            return found.statement
        }
        let statement = try Statement(only: sql, on: connection)
        guard sql.utf8.count <= Self.longest else { return statement }
        if kept.count == Self.limit { kept.removeFirst() }
        kept.append((sql, statement))
        return statement
    }
}

extension Statement {
    /// Somebody else's.
    convenience init(only sql: String, on connection: Connection) throws(StoreError) {
        let authorizer = connection.authorizer
        authorizer.begin()
        let raw = try Array(sql.utf8CString).withUnsafeBufferPointer { buffer throws(StoreError) in
            var raw: OpaquePointer?, rest: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(connection.raw, buffer.baseAddress, -1, &raw, &rest)
            guard code == SQLITE_OK else {
                throw authorizer.denial.map { .sql(code: SQLITE_AUTH, message: $0) } ?? connection.error(code)
            }
            guard let raw else { throw .sql(code: SQLITE_MISUSE, message: "it is no statement") }
            var next: OpaquePointer?
            while let start = rest, start[0] != 0 {
                let code = sqlite3_prepare_v2(connection.raw, start, -1, &next, &rest)
                sqlite3_finalize(next)
                guard code == SQLITE_OK, next == nil else {
                    sqlite3_finalize(raw)
                    throw .sql(code: SQLITE_MISUSE, message: "it is more than one statement; send each by itself")
                }
            }
            return raw
        }
        self.init(connection, prepared: raw)
    }

    /// In their order, one for each parameter.
    func bind(_ values: [SQLValue]) throws(StoreError) {
        let count = Int(sqlite3_bind_parameter_count(raw))
        guard count == values.count else {
            throw .sql(code: SQLITE_RANGE, message: "it has \(count) parameters, and \(values.count) values were given")
        }
        for (index, value) in values.enumerated() {
            let place = Int32(index + 1)
            switch value {
            case .null: try bind(place, Int64?.none)
            case .integer(let integer): try bind(place, integer)
            case .real(let real): try bind(place, borrowed: .real(real))
            case .text(let text): try bind(place, text)
            case .blob(let bytes): try bind(place, blob: bytes)
            }
        }
    }

    /// None: it gives no rows.
    var columns: [String] {
        (0..<sqlite3_column_count(raw)).map { column in
            sqlite3_column_name(raw, column).map { String(cString: $0) } ?? ""
        }
    }

    func row(of columns: Int) -> [SQLValue] {
        (0..<columns).map { column in
            switch CellValue(self, column: Int32(column)) {
            case .integer(let integer): .integer(integer)
            case .real(let real): .real(real)
            case .text(let bytes): .text(String(decoding: bytes, as: UTF8.self))
            case .blob(let bytes): .blob([UInt8](bytes))
            case .null, .undefined: .null
            }
        }
    }

    var isReadOnly: Bool { sqlite3_stmt_readonly(raw) != 0 }
}
