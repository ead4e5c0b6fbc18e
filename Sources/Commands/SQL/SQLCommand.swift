import ArgumentParser
import Foundation
import Seat
import Tickets

struct SQLCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql", abstract: "Runs SQL on the platform's tables beside the tickets.",
        discussion: """
            Needs a certificate of the role service (Deploy/pki issue DIR service/NAME). Statements that only read are \
            queries; CREATE, ALTER and DROP change the schema of both nodes; anything else is one transaction, done \
            once, on both nodes or not at all. random() and datetime('now') are as good as anything: what is shipped \
            to the other node are rows, and not statements. Twinline's own tables can be read, not written.

              twinline sql -c s.yaml "CREATE TABLE units (name TEXT NOT NULL PRIMARY KEY)"
              twinline sql -c s.yaml --param Roads "INSERT INTO units VALUES (?)"
              twinline sql -c s.yaml --standby "SELECT count(*) FROM units"

            Exit codes: 0 done, 1 refused, 69 no node answered, 75 outcome unknown, or disks full: ask again; with \
            --again for what was to change something and is unknown.
            """)

    @Option(name: .shortAndLong, help: "Where the nodes are, and the service's certificate (YAML).")
    var config: String
    @Option(
        parsing: .unconditionalSingleValue,
        help: "A value for a question mark, in their order: NULL, a number, x'0102', 'a text' or a text as it is.",
        transform: { SQLValue(argument: $0) })
    var param: [SQLValue] = []
    @Option(
        help: "Rows that a statement must change, or give, or any; once for each statement. Else all is undone.")
    var expect: [String] = []
    @Option(help: "Seconds to wait for an answer, failovers included (default 10; for a schema change 600).")
    var patience: Double?
    @Option(help: "Seconds that a query may take on the node, up to 60.") var timeout = 5.0
    @Option(help: "Rows that a query gives at most, up to 100000.") var limit = SQLQuery.usualRowLimit
    @Flag(help: "Queries: ask a standby. It may be a little behind; where it stands is said.") var standby = false
    @Option(help: "Ask again for what became of the same statements under this name, such as 3/17.")
    var again: String?
    @Option(help: "Read statements from this file; - is the standard input.") var file: String?
    @Flag(help: "Print JSON, an object on a line for each statement.") var json = false
    @Argument(help: "Statements.") var statements: [String] = []

    func validate() throws {
        guard patience ?? 1 > 0 else { throw ValidationError("--patience must be above 0 seconds") }
        guard timeout > 0, timeout <= 60 else {
            throw ValidationError("--timeout must be above 0 and up to 60 seconds")
        }
        guard (1...SQLQuery.highestRowLimit).contains(limit) else {
            throw ValidationError("--limit must be 1 to \(SQLQuery.highestRowLimit)")
        }
        if let again, name(again) == nil { throw ValidationError("--again \(again) is no name such as 3/17") }
    }

    func run() async throws {
        let input = try SQLInput(
            try statements + (file.map { [try text(of: $0)] } ?? []), parameters: param, expects: expect,
            rowLimit: limit, timeLimit: Int(timeout * 1000))
        let name = again.flatMap { self.name($0) }
        if case .queries = input {
            guard name == nil else { throw ValidationError("--again is for what changes something") }
        } else if standby {
            throw ValidationError("--standby is for queries; the primary does what changes something")
        }
        try await withSeat(config) { seat in
            switch input {
            case .queries(let queries): for query in queries { try await show(query, seat) }
            case .transaction(let list):
                let time = time(10)
                let results =
                    if let name { try await seat.execute(list, again: name, within: time) } else {
                        try await seat.execute(list, within: time)
                    }
                show(results)
            case .schemaChange(let sql):
                let time = time(600)
                let version =
                    if let name { try await seat.changeSchema(sql, again: name, within: time) } else {
                        try await seat.changeSchema(sql, within: time)
                    }
                print(json ? jsonLine(["schema_version": version]) : "schema version \(version)")
            }
        }
    }

    private func show(_ query: SQLQuery, _ seat: SeatClient) async throws {
        let found = try await seat.query(
            query, level: standby ? .standby() : .latest, within: time(query.timeLimit / 1000 + 10))
        if json {
            let rows = found.rows.map { $0.map(\.json) }
            print(
                jsonLine([
                    "columns": found.columns, "rows": rows, "truncated": found.isTruncated, "epoch": found.epoch,
                    "lsn": found.lsn,
                ]))
            return
        }
        print(SQLTable(columns: found.columns, rows: found.rows).text)
        let cut = found.isTruncated ? ", and more: see --limit" : ""
        print("(\(counted(found.rows.count, "row"))\(cut); as of e\(found.epoch):\(found.lsn))")
    }

    private func show(_ results: [StatementResult]) {
        for result in results {
            if json {
                let rows = result.rows.map { $0.map(\.json) }
                print(jsonLine(["changes": result.changes, "columns": result.columns, "rows": rows]))
                continue
            }
            if !result.columns.isEmpty { print(SQLTable(columns: result.columns, rows: result.rows).text) }
            print("(\(counted(Int(result.changes), "row")) changed)")
        }
    }

    private func time(_ usual: Int) -> Duration { .milliseconds(Int64((patience ?? Double(usual)) * 1000)) }

    private func name(_ text: String) -> RequestName? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int64($0) }
        guard parts.count == 2, let session = parts[0], let sequence = parts[1], session > 0, sequence > 0 else {
            return nil
        }
        return RequestName(session: session, sequence: sequence)
    }

    private func text(of file: String) throws -> String {
        let data: Data?
        if file == "-" {
            data = try FileHandle.standardInput.readToEnd() ?? Data()
        } else {
            data = FileManager.default.contents(atPath: file)
        }
        guard let data else { throw Failure("the file \(file) can't be read") }
        guard let text = String(validating: data, as: UTF8.self) else { throw Failure("the file \(file) is not UTF-8") }
        return text
    }
}
