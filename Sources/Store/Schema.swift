/// The database as a new node has it: schema version 1. Later versions are made of it by schema entries.
///
/// Replicated tables are empty at first, so that the digest of a new database is zero.
enum Schema {
    static let firstVersion: UInt32 = 1

    /// Of the file, in its header: how the store keeps things in it, beside the schema. The first databases have 0,
    /// those without `indexByDeadline` 1.
    static let format: Int64 = 2

    /// Only of tickets that may become overdue. An index is no data: a database of an older format gets it when it is
    /// opened, whatever the other node's has.
    static let indexByDeadline = """
        CREATE INDEX tickets_by_deadline ON tickets (deadline, id) WHERE deadline IS NOT NULL AND state <> 5;
        """

    /// "TWLN", in the file's header.
    static let applicationID: Int64 = 0x5457_4c4e

    /// Times are milliseconds since 1970 (UTC). `answers.id` is session << 32 | sequence: keys in time order touch the
    /// fewest pages. `sessions.low`: the answers below are forgotten. `counters` never run backwards.
    /// The two indexes by unit leave out the tickets that no unit has, which is what every new ticket is.
    static let replicated = """
        CREATE TABLE tickets (
            id BLOB NOT NULL PRIMARY KEY,
            state INTEGER NOT NULL,
            opened_at INTEGER NOT NULL,
            channel INTEGER NOT NULL,
            caller TEXT NOT NULL,
            category TEXT NOT NULL,
            district TEXT NOT NULL,
            priority INTEGER NOT NULL,
            confidential INTEGER NOT NULL,
            deadline INTEGER,
            unit TEXT NOT NULL,
            revision INTEGER NOT NULL,
            text TEXT NOT NULL
        );
        CREATE INDEX tickets_by_state ON tickets (state, id);
        CREATE INDEX tickets_by_unit ON tickets (unit, id) WHERE unit <> '';
        CREATE INDEX tickets_by_unit_and_state ON tickets (unit, state, id) WHERE unit <> '';
        \(indexByDeadline)
        CREATE TABLE history (
            ticket BLOB NOT NULL,
            revision INTEGER NOT NULL,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action INTEGER NOT NULL,
            state INTEGER NOT NULL,
            unit TEXT NOT NULL,
            note TEXT NOT NULL,
            PRIMARY KEY (ticket, revision)
        ) WITHOUT ROWID;
        CREATE TABLE sessions (
            id INTEGER NOT NULL PRIMARY KEY,
            actor TEXT NOT NULL,
            low INTEGER NOT NULL,
            last_word INTEGER NOT NULL
        );
        CREATE TABLE answers (
            id INTEGER NOT NULL PRIMARY KEY,
            answer BLOB NOT NULL
        );
        CREATE TABLE counters (
            name TEXT NOT NULL PRIMARY KEY,
            value INTEGER NOT NULL
        );
        """

    /// This node's own: how far the log is applied, and the digest there. One row.
    static let local = """
        CREATE TABLE _twinline_applied (
            id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
            epoch INTEGER NOT NULL,
            lsn INTEGER NOT NULL,
            digest_high INTEGER NOT NULL,
            digest_low INTEGER NOT NULL,
            schema_version INTEGER NOT NULL
        );
        INSERT INTO _twinline_applied VALUES (1, 0, 0, 0, 0, 1);
        """
}

extension Schema {
    /// The tables that only Twinline's own statements write.
    static let own: Set<String> = ["tickets", "history", "sessions", "answers", "counters"]

    static func isTwinlines(_ table: String) -> Bool {
        let name = table.lowercased()
        return own.contains(name) || name.hasPrefix("_twinline") || name.hasPrefix("sqlite_")
    }
}
