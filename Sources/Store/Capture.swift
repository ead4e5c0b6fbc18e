import CSQLiteSession
import Glibc

/// Sees every row that a connection is about to change, by SQLite's preupdate hook, and records it.
///
/// A connection has one place for this hook. It must be taken before the statements are prepared: a `DELETE FROM t`
/// prepared without it clears the table at once and shows no row.
final class Capture {
    var recorder: ChangeRecorder
    private let connection: Connection

    init(_ connection: Connection, tables: [ReplicatedTable]) {
        recorder = ChangeRecorder(tables: tables)
        self.connection = connection
        sqlite3_preupdate_hook(
            connection.raw,
            { context, handle, operation, schema, table, _, _ in
                // The hook is taken away in `deinit`, so the capture is alive; SQLite names a schema and a table.
                guard let context, let schema, let table, strcmp(schema, "main") == 0 else { return }
                let capture = Unmanaged<Capture>.fromOpaque(context).takeUnretainedValue()
                capture.recorder.record(handle, operation: operation, table: table)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { sqlite3_preupdate_hook(connection.raw, nil, nil) }
}
