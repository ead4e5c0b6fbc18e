import CSQLiteSession
import Planted
import Tickets

/// The seats' sessions, and the answers that are remembered for them: what makes a request happen once.
final class SessionWriter {
    /// Whether a request was seen before.
    enum Memory {
        case new
        case answered(Answer)
        case unknownSession
        case windowExpired
    }

    private struct Session {
        let actor: String
        /// The answers below are forgotten.
        var low: Int64
        /// Milliseconds since 1970, at most an hour behind.
        var lastWord: Int64
        /// The highest sequence with an answer: anything above is new, and need not be looked up.
        var highest: Int64
        /// The highest that the seat said: below, only what is still remembered has an answer.
        var answeredBelow: Int64
    }

    /// Answers are forgotten this many at a time: fewer would mean more statements, more would spread the answers of
    /// a batch over more pages, each of which is written whole. Measured with 200 sessions: 4 writes 1.1 pages for
    /// each request, 16 writes 1.5, 64 writes 2.4.
    private static let forgotten: Int64 = 4
    /// Milliseconds between two writings of a session's last word.
    private static let lastWordStep: Int64 = 3_600_000
    /// How many sessions one request expires: a batch must stay short.
    private static let expired: Int64 = 100
    /// Session ids and sequences share the 63 bits of an answer's key.
    private static let highestSession: Int64 = (1 << 31) - 1

    private let connection: Connection
    /// Those that have spoken since this node began to execute, as the open transaction has them.
    private var known: [Int64: Session] = [:]
    private let selectSession, selectHighest, selectAnswer, insertAnswer, deleteAnswers: Statement
    private let nextID, insertSession, updateSession, selectExpired, deleteSession: Statement

    init(_ connection: Connection) throws(StoreError) {
        self.connection = connection
        selectSession = try Statement(connection, "SELECT actor, low, last_word FROM sessions WHERE id = ?1")
        selectHighest = try Statement(connection, "SELECT max(id) FROM answers WHERE id >= ?1 AND id < ?2")
        selectAnswer = try Statement(connection, "SELECT answer FROM answers WHERE id = ?1")
        insertAnswer = try Statement(connection, "INSERT INTO answers (id, answer) VALUES (?1, ?2)")
        deleteAnswers = try Statement(connection, "DELETE FROM answers WHERE id >= ?1 AND id < ?2")
        nextID = try Statement(
            connection,
            """
            INSERT INTO counters (name, value) VALUES ('session', 1)
            ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value
            """)
        insertSession = try Statement(
            connection, "INSERT INTO sessions (id, actor, low, last_word) VALUES (?1, ?2, 1, ?3)")
        updateSession = try Statement(connection, "UPDATE sessions SET low = ?2, last_word = ?3 WHERE id = ?1")
        selectExpired = try Statement(
            connection, "SELECT id FROM sessions WHERE last_word < ?1 ORDER BY id LIMIT \(Self.expired)")
        deleteSession = try Statement(connection, "DELETE FROM sessions WHERE id = ?1")
    }

    /// What is known may not be so any more: the transaction was rolled back.
    func forget() { known.removeAll(keepingCapacity: true) }

    func open(for actor: String, now: Int64) throws(StoreError) -> Int64 {
        var id: Int64 = 0
        while try nextID.step() { id = nextID.integer(0) }
        guard id <= Self.highestSession else { throw .sessionsExhausted }
        try insertSession.bind(1, id)
        try insertSession.bind(2, actor)
        try insertSession.bind(3, now)
        try insertSession.run()
        return id
    }

    /// Whether this request is new. A session that another name opened is unknown.
    func remembered(_ request: StoreRequest) throws(StoreError) -> Memory {
        guard let session = try session(request.session), session.actor == request.actor else {
            return planted("runForAnUnknownSession") ? .new : .unknownSession
        }
        if request.sequence < session.low { return .windowExpired }
        if request.sequence > session.highest { return .new }
        if let answer = try answer(to: request) { return .answered(answer) }
        return request.sequence < session.answeredBelow ? .windowExpired : .new
    }

    /// Stores the answer to a new request, in the same transaction as what it answers.
    func remember(_ answer: Answer, to request: StoreRequest, now: Int64) throws(StoreError) {
        guard var session = known[request.session] else { return }
        try insertAnswer.bind(1, Self.key(request.session, request.sequence))
        try insertAnswer.bind(2, blob: answer.encoded)
        if !planted("forgetTheAnswers") { try insertAnswer.run() }
        session.highest = max(session.highest, request.sequence)
        session.answeredBelow = max(
            session.answeredBelow,
            planted("pruneTheAnswersTooEarly") ? request.sequence : min(request.answeredBelow, request.sequence))
        let forgets = session.answeredBelow - session.low >= Self.forgotten
        if forgets || now - session.lastWord >= Self.lastWordStep {
            if forgets { try forget(&session, of: request.session) }
            session.lastWord = max(session.lastWord, now)
            try updateSession.bind(1, request.session)
            try updateSession.bind(2, session.low)
            try updateSession.bind(3, session.lastWord)
            try updateSession.run()
        }
        known[request.session] = session
    }

    /// - Returns: how many.
    func expire(before time: Int64) throws(StoreError) -> Int {
        var ids: [Int64] = []
        try selectExpired.bind(1, time)
        while try selectExpired.step() { ids.append(selectExpired.integer(0)) }
        for id in ids {
            try deleteAnswers.bind(1, Self.key(id, 0))
            try deleteAnswers.bind(2, Self.key(id + 1, 0))
            try deleteAnswers.run()
            try deleteSession.bind(1, id)
            try deleteSession.run()
            known[id] = nil
        }
        return ids.count
    }

    private func forget(_ session: inout Session, of id: Int64) throws(StoreError) {
        try deleteAnswers.bind(1, Self.key(id, session.low))
        try deleteAnswers.bind(2, Self.key(id, session.answeredBelow))
        try deleteAnswers.run()
        session.low = session.answeredBelow
    }

    private func session(_ id: Int64) throws(StoreError) -> Session? {
        if let session = known[id] { return session }
        try selectSession.bind(1, id)
        let found = try selectSession.first { row in
            Session(
                actor: row.text(0), low: row.integer(1), lastWord: row.integer(2), highest: 0,
                answeredBelow: row.integer(1))
        }
        guard var session = found else { return nil }
        try selectHighest.bind(1, Self.key(id, 0))
        try selectHighest.bind(2, Self.key(id + 1, 0))
        let highest = try selectHighest.first { $0.optionalInteger(0) }.flatMap { $0 }
        session.highest = highest.map { $0 & 0xffff_ffff } ?? session.low - 1
        known[id] = session
        return session
    }

    private func answer(to request: StoreRequest) throws(StoreError) -> Answer? {
        try selectAnswer.bind(1, Self.key(request.session, request.sequence))
        return try selectAnswer.first { row throws(StoreError) in
            guard let answer = Answer(encoded: row.blob(0)) else {
                let name = "\(request.session):\(request.sequence)"
                throw .damaged(path: connection.path, message: "the answer to request \(name) can't be read")
            }
            return answer
        }
    }

    private static func key(_ session: Int64, _ sequence: Int64) -> Int64 { session << 32 | sequence }
}
