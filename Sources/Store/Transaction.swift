/// The one transaction of a connection that writes.
final class Transaction {
    private let connection: Connection
    private let beginning, committing, rollingBack: Statement

    init(_ connection: Connection) throws(StoreError) {
        self.connection = connection
        beginning = try Statement(connection, "BEGIN IMMEDIATE")
        committing = try Statement(connection, "COMMIT")
        rollingBack = try Statement(connection, "ROLLBACK")
    }

    func begin() throws(StoreError) { try beginning.run() }

    func commit() throws(StoreError) { try committing.run() }

    /// Harmless when SQLite has rolled back already, as it does on some errors.
    func rollBack() throws(StoreError) {
        if connection.isInTransaction { try rollingBack.run() }
    }
}
