import Foundation
import Histories
import Seat
import Synchronization
import Tickets

/// A program of the platform that keeps its own tables in the pair during the demo, such that a wrong transaction
/// shows: a bank whose accounts lie in two tables, and lists to which transactions append. Beside it somebody reads at
/// the standby, which may be gone: nobody waits for that.
final class Bookkeepers: Sendable {
    /// How many clients of the history they are: two bookkeepers and the one who reads at the standby.
    static let clients = 3

    private let client: SeatClient
    private let ledger: Ledger
    private let history: RunHistory
    /// The number of the first of them in the history.
    private let first: Int
    private let seed: UInt64
    private let stopped = Mutex(false)

    private static let accounts: [String: Int64] = {
        let names = ["cash", "savings"].flatMap { table in (1...4).map { "\(table)/\($0)" } }
        return Dictionary(uniqueKeysWithValues: names.map { ($0, 100) })
    }()
    private static let pause = Duration.milliseconds(5)
    private static let patience = Duration.seconds(20)
    private static let standbyPatience = Duration.milliseconds(300)
    /// After so many appends a list is left and the next one begun, so that reads stay short.
    private static let listLength: Int64 = 40

    init(_ client: SeatClient, _ ledger: Ledger, history: RunHistory, first: Int, seed: UInt64) {
        (self.client, self.ledger, self.history) = (client, ledger, history)
        (self.first, self.seed) = (first, seed)
    }

    func stop() { stopped.withLock { $0 = true } }
    private var isStopped: Bool { stopped.withLock { $0 } }

    func prepare() async throws {
        try await client.changeSchema(
            """
            CREATE TABLE cash (name TEXT NOT NULL PRIMARY KEY, balance INTEGER NOT NULL);
            CREATE TABLE savings (name TEXT NOT NULL PRIMARY KEY, balance INTEGER NOT NULL);
            CREATE TABLE lists (list INTEGER NOT NULL, place INTEGER NOT NULL, value INTEGER NOT NULL,
                                PRIMARY KEY (list, place));
            """)
        let token = history.begin(.accounts(Self.accounts), by: first)
        _ = try await client.execute(
            Self.accounts.sorted { $0.key < $1.key }.map { account, balance in
                let (table, name) = Self.parts(account)
                return SQLStatement("INSERT INTO \(table) VALUES (?, ?)", [.text(name), .integer(balance)], expect: 1)
            })
        history.end(token, .ok(.done))
    }

    /// Runs until stopped.
    func work() async {
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<2 { group.addTask { await self.keepBooks(number) } }
            group.addTask { await self.readAtStandby() }
        }
    }

    private func keepBooks(_ number: Int) async {
        var random = Random(seed: seed &+ UInt64(1000 + number))
        var appended: Int64 = 0
        while !isStopped {
            switch random.next() % 4 {
            case 0: await move(number, &random)
            case 1: await balances(.latest, by: first + number)
            default: await changeLists(number, &appended, &random)
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private static func parts(_ account: String) -> (table: String, name: String) {
        let parts = account.split(separator: "/")
        return (String(parts[0]), String(parts[1]))
    }

    private func move(_ number: Int, _ random: inout Random) async {
        let names = Self.accounts.keys.sorted()
        guard let from = names.randomElement(using: &random), let to = names.randomElement(using: &random), from != to
        else { return }
        let amount = Int64.random(in: 1...30, using: &random)
        let token = history.begin(.transfer(from: from, to: to, amount: amount), by: first + number)
        let (source, target) = (Self.parts(from), Self.parts(to))
        do throws(SeatError) {
            _ = try await client.execute(
                [
                    SQLStatement(
                        "UPDATE \(source.table) SET balance = balance - ?1 WHERE name = ?2 AND balance >= ?1",
                        [.integer(amount), .text(source.name)], expect: 1),
                    SQLStatement(
                        "UPDATE \(target.table) SET balance = balance + ? WHERE name = ?",
                        [.integer(amount), .text(target.name)], expect: 1),
                ], within: Self.patience)
            history.end(token, .ok(.done))
        } catch {
            history.end(token, Outcome(error))
            // Too little money there.
            if case .refused(.guardNotMet) = error { return }
            ledger.failed(error, "move \(amount) from \(from) to \(to)")
        }
    }

    private func balances(_ source: ReadSource, by number: Int) async {
        let sql = "SELECT 'cash/' || name, balance FROM cash UNION ALL SELECT 'savings/' || name, balance FROM savings"
        let token = history.begin(.balances(source), by: number)
        do throws(SeatError) {
            let found = try await client.query(
                SQLQuery(sql), level: source == .latest ? .latest : .standby(),
                within: source == .latest ? Self.patience : Self.standbyPatience)
            var balances: [String: Int64] = [:]
            for row in found.rows {
                if case .text(let name) = row[0], case .integer(let balance) = row[1] { balances[name] = balance }
            }
            history.end(token, .ok(.balances(balances)))
        } catch {
            history.end(token, .failed(nil))
            if source == .latest { ledger.failed(error, "read all balances") }
        }
    }

    private func changeLists(_ number: Int, _ appended: inout Int64, _ random: inout Random) async {
        var steps: [ListStep] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let list = appended / Self.listLength * 3 + Int64.random(in: 0..<3, using: &random)
            if random.next() % 2 == 0 {
                steps.append(.read(key: .number(list), nil))
            } else {
                appended += 1
                // Odd of the one, even of the other.
                steps.append(.append(key: .number(list), .number(appended * 2 + Int64(number))))
            }
        }
        let token = history.begin(.transaction(steps), by: first + number)
        do throws(SeatError) {
            let results = try await client.execute(steps.map(Self.statement), within: Self.patience)
            let answered = zip(steps, results).map { step, result -> ListStep in
                guard case .read(let key, _) = step else { return step }
                return .read(
                    key: key,
                    result.rows.map { row in
                        if case .integer(let value) = row[0] { .number(value) } else { .text("\(row[0])") }
                    })
            }
            history.end(token, .ok(.transaction(answered)))
        } catch {
            history.end(token, Outcome(error))
            ledger.failed(error, "change lists")
        }
    }

    private static func statement(_ step: ListStep) -> SQLStatement {
        switch step {
        case .append(let key, let value):
            SQLStatement(
                "INSERT INTO lists SELECT ?1, count(*), ?2 FROM lists WHERE list = ?1", [sql(key), sql(value)],
                expect: 1)
        case .read(let key, _): SQLStatement("SELECT value FROM lists WHERE list = ? ORDER BY place", [sql(key)])
        }
    }

    private static func sql(_ label: Label) -> SQLValue {
        switch label {
        case .number(let number): .integer(number)
        case .text(let text): .text(text)
        }
    }

    private func readAtStandby() async {
        var random = Random(seed: seed &+ 2000)
        while !isStopped {
            let ticket = ledger.someTicket(using: &random)
            if random.next() % 4 == 0 {
                await balances(.standby, by: first + 2)
            } else if let ticket {
                let token = history.begin(.show(ticket, .standby), by: first + 2)
                let result = await withCheckedContinuation { waiting in
                    client.query(.show(ticket), level: .standby(), within: Self.standbyPatience) {
                        waiting.resume(returning: $0)
                    }
                }
                history.end(token, Outcome(result))
            }
            try? await Task.sleep(for: Self.pause)
        }
    }
}
