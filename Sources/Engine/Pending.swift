import Replication
import Tickets
import Wire

/// A seat's connection, for answers. `write` and `flush` are called on the connection's own event loop.
package protocol SeatConnection: AnyObject, Sendable {
    /// Which of the shell's event loops it lives on.
    var loop: Int { get }
    func write(_ answer: WriteAnswer)
    func write(_ answer: ReadAnswer)
    func flush()
}

/// A seat's request on its way to the writer.
package struct PendingWrite: Sendable {
    package var request: SeatRequest
    /// The name in the seat's certificate, such as "seat/017".
    package var actor: String
    package var connection: any SeatConnection
    /// As it came: what it weighs in a batch.
    package var bytes: Int

    package init(request: SeatRequest, actor: String, bytes: Int, connection: any SeatConnection) {
        self.request = request
        self.actor = actor
        self.bytes = bytes
        self.connection = connection
    }

    package func answered(_ outcome: WriteAnswer.Outcome) -> WriteAnswer {
        WriteAnswer(connection: connection, session: request.session, sequence: request.sequence, outcome: outcome)
    }
}

package struct WriteAnswer: Sendable {
    package enum Outcome: Equatable, Sendable {
        case done(Done)
        case executed([StatementResult])
        case schemaChanged(version: UInt32)
        case refused(Refusal)
        case sessionOpened(Int64)
        /// No answer: another copy of the request may be under way.
        case notNow(NotNow)
    }
    package var connection: any SeatConnection
    package var session: Int64
    package var sequence: UInt64
    package var outcome: Outcome
}

package enum NotNow: Sendable { case notPrimary, overloaded, stopping, diskFull, tooOld }

/// A seat's question, on its way to the readers.
package struct PendingRead: Sendable {
    package var number: UInt64
    package var level: SeatRead.Level
    package var query: Query
    package var connection: any SeatConnection
    /// Of what this node shows, in nanoseconds; nil: not known, or it leads.
    var age: UInt64?

    package init(
        number: UInt64, level: SeatRead.Level = .latest, query: Query, connection: any SeatConnection
    ) {
        self.number = number
        self.level = level
        self.query = query
        self.connection = connection
    }

    package func answered(_ outcome: ReadAnswer.Outcome, at position: Position = .zero) -> ReadAnswer {
        ReadAnswer(connection: connection, number: number, position: position, age: age, outcome: outcome)
    }
}

package struct ReadAnswer: Sendable {
    package enum Outcome: Equatable, Sendable {
        case view(View)
        case refused(Refusal)
        case notNow(NotNow)
    }
    package var connection: any SeatConnection
    package var number: UInt64
    /// What was seen.
    package var position: Position
    package var age: UInt64?
    package var outcome: Outcome
}

/// A batch of requests, executed in a transaction that stays open until the entry is committed.
package struct ExecutedBatch: Sendable {
    /// The reign of this node that it was executed in; worth nothing in another.
    package var reign: UInt64
    /// What to say, once the entry is committed.
    package var answers: [WriteAnswer]
    /// Of the entry: `changes`, or `schema`.
    package var kind: EntryKind
    /// Its payload, such as changes in SQLite's changeset format; nil when nothing changed, and then no transaction is
    /// open.
    package var changes: EntryDraft?
    /// Of the database after it.
    package var digest: Digest

    package init(
        reign: UInt64, answers: [WriteAnswer], kind: EntryKind = .changes, changes: EntryDraft?, digest: Digest
    ) {
        self.reign = reign
        self.kind = kind
        self.answers = answers
        self.changes = changes
        self.digest = digest
    }
}
