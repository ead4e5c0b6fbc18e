import Replication

/// How tickets are read: a connection of its own, which can't write and waits for nobody. Each look is a snapshot.
struct ReadConnection {
    let connection: Connection
    private let begin, end, selectPosition: Statement

    init(at path: String) throws(StoreError) {
        connection = try Connection.open(path, readOnly: true)
        begin = try Statement(connection, "BEGIN")
        end = try Statement(connection, "COMMIT")
        selectPosition = try Statement(connection, "SELECT epoch, lsn FROM _twinline_applied")
    }

    /// Sees the database exactly as it was at one position, with everything that was committed when it began.
    func snapshot<Result>(_ look: (Position) throws(StoreError) -> Result) throws(StoreError) -> Result {
        try connection.access { _ throws(StoreError) in
            try begin.run()
            do throws(StoreError) {
                let result = try look(try position())
                // Where memory or disk was full for what `look` has refused, SQLite has ended it already.
                if connection.isInTransaction { try end.run() }
                return result
            } catch {
                if connection.isInTransaction { try? end.run() }
                throw error
            }
        }
    }

    private func position() throws(StoreError) -> Position {
        let position = try selectPosition.first { row in
            Position(Epoch(UInt64(bitPattern: row.integer(0))), LSN(UInt64(bitPattern: row.integer(1))))
        }
        guard let position else {
            throw .damaged(path: connection.path, message: "it does not say how far it is applied")
        }
        return position
    }

    /// Nil is a row whose numbers mean nothing.
    func sound<Row>(_ row: Row?) throws(StoreError) -> Row {
        guard let row else { throw .damaged(path: connection.path, message: "a row holds a number without a meaning") }
        return row
    }
}
