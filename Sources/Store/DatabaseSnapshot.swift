import CSQLiteSession
import Replication

/// The replicated tables as they were at one moment, on a connection of their own that can't write: for a walk through
/// all of them while the writer goes on. As long as it stands, SQLite's write-ahead log can't start over and grows with
/// every commit.
package final class DatabaseSnapshot {
    /// What a walk has found.
    package struct Sums: Equatable, Sendable {
        package struct Table: Equatable, Sendable {
            package var name: String
            package var rows: Int
            /// Its part of the digest.
            package var digest: Digest
        }
        package var position: Position
        /// What the database has kept in passing, and what the tables add up to: equal, or this copy is wrong.
        package var stored, computed: Digest
        /// In the order of their names.
        package var tables: [Table]
    }

    private let connection: Connection
    private var standing: ReplicatedDatabase.Standing?

    package init(at path: String) throws(StoreError) { connection = try Connection.open(path, readOnly: true) }

    /// Takes the snapshot: what is committed now. Tens of microseconds.
    package func pin() throws(StoreError) -> Position {
        try connection.access { _ throws(StoreError) in
            try connection.execute("BEGIN")
            // It is the first read that takes it.
            let standing = try ReplicatedDatabase.Standing(connection)
            self.standing = standing
            return standing.position
        }
    }

    /// Computes the digest anew from every row: a second for each million or so.
    /// - Parameter goesOn: asked every millisecond or so, with how many rows are done and how many there are (0 until
    ///   that is known); false ends the walk.
    /// - Returns: nil if it was ended.
    /// - Precondition: it is pinned.
    package func sums(_ goesOn: @escaping (_ rows: Int, _ total: Int) -> Bool) throws(StoreError) -> Sums? {
        guard let standing else { preconditionFailure("a walk through a snapshot that was not taken") }
        let walk = Walk(goesOn)
        return try connection.access { _ throws(StoreError) in
            walk.watch(connection)
            defer {
                sqlite3_progress_handler(connection.raw, 0, nil, nil)
                withExtendedLifetime(walk) {}
            }
            do throws(StoreError) {
                let tables = try ReplicatedTable.all(connection)
                var total = 0
                for table in tables { total += try connection.count(table) }
                walk.total = total
                var sums = Sums(
                    position: standing.position, stored: standing.digest, computed: .zero, tables: [])
                for table in tables {
                    let before = walk.rows
                    let digest = Digest(try table.sum(on: connection) { walk.rows += 1 })
                    sums.computed.add(digest.value)
                    sums.tables.append(.init(name: table.name, rows: walk.rows - before, digest: digest))
                }
                return sums
            } catch {
                if walk.isEnded { return nil }
                throw error
            }
        }
    }

    /// Lets go of the snapshot. Harmless when there is none.
    package func end() {
        standing = nil
        connection.access { _ in
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
        }
    }
}

/// How far a walk is, and whether it is to go on. SQLite asks while it counts and searches, too.
private final class Walk {
    var rows = 0, total = 0
    private(set) var isEnded = false
    private let goesOn: (Int, Int) -> Bool
    /// SQLite's steps between two questions: some hundred rows.
    private static let steps: Int32 = 10_000

    init(_ goesOn: @escaping (Int, Int) -> Bool) { self.goesOn = goesOn }

    /// - Precondition: this object outlives the handler.
    func watch(_ connection: Connection) {
        sqlite3_progress_handler(
            connection.raw, Self.steps,
            { context in
                guard let context else { return 0 }
                let walk = Unmanaged<Walk>.fromOpaque(context).takeUnretainedValue()
                if !walk.goesOn(walk.rows, walk.total) { walk.isEnded = true }
                return walk.isEnded ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}

extension Connection {
    /// With a condition that is always true: a plain count is one step for SQLite, which nobody could end.
    fileprivate func count(_ table: ReplicatedTable) throws(StoreError) -> Int {
        guard let key = table.columns.first(where: \.isKey) else { return 0 }
        let sql = "SELECT count(*) FROM \(quoted(table.name)) WHERE typeof(\(quoted(key.name))) <> ''"
        return Int(try Statement(self, sql).first { $0.integer(0) } ?? 0)
    }
}
