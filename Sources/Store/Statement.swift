import CSQLiteSession
import Tickets

/// A prepared statement that is kept and run again: binding and stepping cost no lookup and no allocation here.
///
/// Texts and blobs that are bound as `CellValue` are borrowed: they must stay until the run is over.
final class Statement {
    let raw: OpaquePointer
    /// Kept, so that the connection outlives its statements.
    private let connection: Connection

    init(_ connection: Connection, _ sql: String) throws(StoreError) {
        var raw: OpaquePointer?
        let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
        let code = sqlite3_prepare_v3(connection.raw, sql, -1, flags, &raw, nil)
        guard code == SQLITE_OK, let raw else { throw connection.error(code) }
        self.raw = raw
        self.connection = connection
    }

    /// Takes it over.
    init(_ connection: Connection, prepared raw: OpaquePointer) {
        self.raw = raw
        self.connection = connection
    }

    deinit { sqlite3_finalize(raw) }

    /// One step. False when there are no more rows; the statement is then ready for the next run.
    func step() throws(StoreError) -> Bool {
        let code = sqlite3_step(raw)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else {
            let error = connection.error(code)
            sqlite3_reset(raw)
            throw error
        }
        sqlite3_reset(raw)
        return false
    }

    /// To its end, whatever rows it gives.
    func run() throws(StoreError) {
        while try step() {}
    }

    /// Ends a run before its last row.
    func reset() { sqlite3_reset(raw) }

    /// Runs it for at most one row, which `read` sees.
    func first<Row>(_ read: (Statement) throws(StoreError) -> Row) throws(StoreError) -> Row? {
        guard try step() else { return nil }
        defer { reset() }
        return try read(self)
    }

    private func check(_ code: Int32) throws(StoreError) {
        if code != SQLITE_OK { throw connection.error(code) }
    }
}

extension Statement {
    /// SQLite makes its own copy before the call returns.
    @inline(__always)
    private static var transient: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    func bind(_ index: Int32, _ value: Int64) throws(StoreError) {
        try check(sqlite3_bind_int64(raw, index, value))
    }

    func bind(_ index: Int32, _ value: Int64?) throws(StoreError) {
        try check(value.map { sqlite3_bind_int64(raw, index, $0) } ?? sqlite3_bind_null(raw, index))
    }

    func bindNull(_ index: Int32) throws(StoreError) { try check(sqlite3_bind_null(raw, index)) }

    func bind(_ index: Int32, _ text: String) throws(StoreError) {
        var text = text
        let code = text.withUTF8 { bytes in
            // A text without bytes may have no address, which SQLite would take for NULL.
            guard let start = bytes.baseAddress else { return sqlite3_bind_text(raw, index, "", 0, Self.transient) }
            return sqlite3_bind_text64(
                raw, index, UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self), UInt64(bytes.count),
                Self.transient, UInt8(SQLITE_UTF8))
        }
        try check(code)
    }

    func bind(_ index: Int32, blob: [UInt8]) throws(StoreError) {
        let code = blob.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return sqlite3_bind_zeroblob(raw, index, 0) }
            return sqlite3_bind_blob64(raw, index, start, UInt64(bytes.count), Self.transient)
        }
        try check(code)
    }

    /// As 16 big-endian bytes.
    func bind(_ index: Int32, _ id: TicketID) throws(StoreError) {
        let code = withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) {
            sqlite3_bind_blob(raw, index, $0.baseAddress, 16, Self.transient)
        }
        try check(code)
    }

    /// Borrows texts and blobs: their memory must stay until the run is over.
    func bind(_ index: Int32, borrowed value: CellValue) throws(StoreError) {
        switch value {
        case .null, .undefined: try check(sqlite3_bind_null(raw, index))
        case .integer(let integer): try check(sqlite3_bind_int64(raw, index, integer))
        case .real(let real): try check(sqlite3_bind_double(raw, index, real))
        case .text(let bytes):
            guard let start = bytes.baseAddress else { return try bind(index, "") }
            try check(
                sqlite3_bind_text64(
                    raw, index, start.assumingMemoryBound(to: CChar.self), UInt64(bytes.count), nil,
                    UInt8(SQLITE_UTF8)))
        case .blob(let bytes):
            guard let start = bytes.baseAddress else { return try check(sqlite3_bind_zeroblob(raw, index, 0)) }
            try check(sqlite3_bind_blob64(raw, index, start, UInt64(bytes.count), nil))
        }
    }
}

extension Statement {
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(raw, column) }

    func optionalInteger(_ column: Int32) -> Int64? {
        sqlite3_column_type(raw, column) == SQLITE_NULL ? nil : sqlite3_column_int64(raw, column)
    }

    func text(_ column: Int32) -> String {
        // The blob function returns the bytes as they are; the text function might copy them to end them with a zero.
        String(decoding: blob(column), as: UTF8.self)
    }

    /// Valid until the next step.
    func blob(_ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(raw, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(raw, column)))
    }

    /// Zero when the value isn't sixteen bytes.
    func ticketID(_ column: Int32) -> TicketID {
        let bytes = blob(column)
        guard bytes.count == 16 else { return TicketID(high: 0, low: 0) }
        return TicketID(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}
