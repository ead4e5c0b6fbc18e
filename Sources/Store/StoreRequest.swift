import Replication
import Tickets

/// One thing to be done in a batch.
package struct StoreRequest: Equatable, Sendable {
    /// 0 for what belongs to no session.
    package var session: Int64
    package var sequence: Int64
    /// The seat has the answers to all sequences below this one.
    package var answeredBelow: Int64
    /// The name in the certificate, such as "seat/017".
    package var actor: String
    package var body: Body

    package enum Body: Equatable, Sendable {
        case openSession
        case command(Command)
        /// Uses up the name: what did not happen under it never will.
        case withdraw
        /// In one transaction with the others of the batch, and undone alone if it fails.
        case execute([SQLStatement])
        /// By itself: a batch of its own.
        case changeSchema(String)
        /// Forget the sessions whose last word is older. Sent by the primary itself; a part of them at a time.
        case expireSessions(before: Int64)
    }

    package init(session: Int64 = 0, sequence: Int64 = 0, answeredBelow: Int64 = 0, actor: String, body: Body) {
        self.session = session
        self.sequence = sequence
        self.answeredBelow = answeredBelow
        self.actor = actor
        self.body = body
    }
}

/// What became of one request of a batch. It may be said only when the batch's entry is committed, or, when the batch
/// changed nothing, as a read may.
package enum Outcome: Equatable, Sendable {
    /// Remembered: an earlier copy of the request has the same answer, perhaps in the same batch.
    case answer(Answer, remembered: Bool)
    case sessionOpened(Int64)
    case sessionsExpired(Int)
    case unknownSession
    case windowExpired
    /// SQL that was not begun, since others have taken their time: another copy may be.
    case postponed
    /// The database could not do it; nothing of it happened, and another copy may succeed.
    case failed(StoreError)
}

/// A batch whose transaction is open, or one that changed nothing.
package struct Batch: Equatable, Sendable {
    /// One for each request, in their order.
    package var outcomes: [Outcome]
    /// Empty when nothing changed: then there is nothing to commit, and no entry.
    package var changeset: [UInt8]
    /// Of the database after it.
    package var digest: Digest
    /// Of the entry that it becomes: `changes`, or `schema`, and then the changeset is a `SchemaChange`.
    package var kind = EntryKind.changes
}
