import DurableLog
import Foundation
import Replication
import Store
import Testing
import Tickets
import Wire

@testable import Engine

/// What is told of lists, against what the tickets' histories say, on both nodes of a pair and across failovers.
@Suite("lists that are followed")
struct ListFeedTests {
    private let seat = TestSeat()
    private let pair: TestPair
    private let session: Int64
    private var sequence: UInt64 = 1
    private var feeds: [NodeName: ListFeed] = [:]

    init() throws {
        pair = try TestPair()
        try pair.formPair()
        let request = SeatRequest(session: 0, sequence: 1, answeredBelow: 0, body: .openSession)
        pair[.a].database.submit(PendingWrite(request: request, actor: "seat/1", bytes: 10, connection: seat))
        try pair.pump()
        guard case .sessionOpened(let session)? = pair[.a].answers.last?.outcome else { throw NoSession() }
        self.session = session
        for name in NodeName.allCases { feeds[name] = try feed(of: name) }
    }

    private struct NoSession: Error {}

    private func feed(of name: NodeName) throws -> ListFeed {
        let directory = pair[name].directory
        return try ListFeed(
            log: ReadOnlyDirectory(path: directory.appending(path: "log").path),
            database: directory.appending(path: "db").path)
    }

    private mutating func submit(_ commands: [Command], to name: NodeName) throws {
        for command in commands {
            let request = SeatRequest(
                session: session, sequence: sequence, answeredBelow: 0, body: .command(command))
            sequence += 1
            pair[name].database.submit(PendingWrite(request: request, actor: "seat/1", bytes: 100, connection: seat))
        }
        try pair.pump()
    }

    /// Nil: it would wait.
    private func ask(
        _ feed: ListFeed, _ filter: ListFilter, _ mark: ListMark?, time: Int64 = 0
    ) throws -> ListChanges? {
        let now = Instant(nanoseconds: 1)
        feed.take(PendingRead(number: 1, query: .changes(of: filter, since: mark), connection: seat), at: now)
        // Whoever waited longer than it may is answered as well, without changes.
        let answers =
            try feed.look(at: now, time: time)
            + (feed.isIdle ? [] : feed.look(at: now.advanced(byMilliseconds: ListFeed.patience), time: time))
        guard case .view(.changes(let found))? = answers.first?.outcome, answers.count == 1 else {
            Issue.record("\(answers.count) answers")
            return nil
        }
        return found
    }

    /// Keeps a list by what it is told, and notes what can't be.
    private struct Follower {
        let filter: ListFilter
        var mark: ListMark?
        var members: [TicketID: Int64] = [:]
        var told: [TicketID: [ListChange]] = [:]

        mutating func take(_ found: ListChanges) {
            mark = found.mark
            for change in found.changes {
                told[change.ticket, default: []].append(change)
                switch change {
                case .entered(let ticket, _):
                    #expect(members[ticket.id] == nil, "it is on the list already")
                    members[ticket.id] = ticket.revision
                case .changed(let row):
                    #expect(members[row.ticket].map { $0 < row.revision } ?? false)
                    members[row.ticket] = row.revision
                case .left(let row): #expect(members.removeValue(forKey: row.ticket) != nil)
                }
            }
        }
    }

    private mutating func catchUp(_ follower: inout Follower, at name: NodeName, time: Int64) throws {
        while true {
            guard let feed = feeds[name], let found = try ask(feed, follower.filter, follower.mark, time: time) else {
                return
            }
            #expect(!found.beginsAgain || follower.mark == nil)
            let isNews = !found.changes.isEmpty || found.mark != follower.mark
            follower.take(found)
            if !isNews { return }
        }
    }

    private static let units = ["Roads", "Parks", "Water"]

    @Test("each change is told once, in order, by whichever node is asked", arguments: 1...6)
    mutating func once(seed: UInt64) throws {
        var random = Draws(seed)
        var followers = [
            Follower(filter: ListFilter()), Follower(filter: ListFilter(unit: "Roads")),
            Follower(filter: ListFilter(state: .dispatched, unit: "Parks")), Follower(filter: ListFilter(state: .open)),
            Follower(filter: ListFilter(overdue: true)), Follower(filter: ListFilter(unit: "Water", overdue: true)),
        ]
        var time: Int64 = 1000
        for index in followers.indices { try catchUp(&followers[index], at: .a, time: time) }
        var tickets: [TicketID] = []
        for round in 0..<60 {
            var commands: [Command] = []
            for _ in 0..<random.below(12) {
                let known = tickets.isEmpty ? nil : tickets[random.below(tickets.count)]
                guard let known, random.below(3) > 0 else {
                    let id = TicketID(milliseconds: Int64(tickets.count + 1), random: (1, seed))
                    tickets.append(id)
                    let deadline = random.below(3) == 0 ? nil : Int64(1000 + random.below(900))
                    commands.append(
                        .open(OpenTicket(id: id, openedAt: 5, category: "c", text: "t\(round)", deadline: deadline)))
                    continue
                }
                switch random.below(5) {
                case 0, 1: commands.append(.dispatch(known, unit: Self.units[random.below(3)], note: ""))
                case 2: commands.append(.accept(known, note: "n"))
                case 3: commands.append(.return(known, reason: "not ours"))
                default: commands.append(random.below(2) == 0 ? .note(known, text: "x") : .complete(known, result: "r"))
                }
            }
            if round == 30 {
                _ = pair.kill(.a)
                feeds[.a] = nil
                try pair.run(milliseconds: 200)
            }
            let primary: NodeName = round < 30 ? .a : .b
            try submit(commands, to: primary)
            // The standby learns with the next heartbeat what is committed.
            if random.below(2) == 0 { try pair.run(milliseconds: 60) }
            time += Int64(random.below(40))
            for index in followers.indices where random.below(3) == 0 {
                let name = round < 30 && random.below(2) == 0 ? .a : NodeName.b
                try catchUp(&followers[index], at: name, time: time)
            }
        }
        for index in followers.indices { try catchUp(&followers[index], at: .b, time: time) }
        for follower in followers { try check(follower, tickets, time: time) }
    }

    private func check(_ follower: Follower, _ tickets: [TicketID], time: Int64) throws {
        let reader = try DatabaseReader(at: pair[.b].directory.appending(path: "db").path)
        let (filter, told) = (follower.filter, follower.told)
        var events = 0
        for id in tickets {
            let (_, views) = try reader.read([.show(id), .history(id)])
            guard case .ticket(let found) = views[0], case .history(let rows) = views[1], let ticket = found else {
                continue
            }
            let isLate = ticket.deadline.map { $0 <= time } ?? false
            let isMember = filter.holds(ticket.state, ticket.unit) { isLate }
            #expect((follower.members[id] != nil) == isMember)
            if !filter.overdue { #expect(told[id, default: []] == expected(ticket, rows, filter)) }
            events += told[id]?.count ?? 0
        }
        #expect(events > 5)
    }

    /// From the ticket's whole history.
    private func expected(_ ticket: Ticket, _ rows: [HistoryRow], _ filter: ListFilter) -> [ListChange] {
        var was = false
        return rows.compactMap { row in
            let unit = row.state == .returned ? "" : row.unit
            let holds = filter.holds(row.state, unit) { false }
            defer { was = holds }
            switch (was, holds) {
            case (false, false): return nil
            case (true, true): return .changed(row)
            case (true, false): return .left(row)
            case (false, true):
                var then = ticket
                (then.state, then.unit, then.revision) = (row.state, unit, row.revision)
                return .entered(then, row)
            }
        }
    }

    @Test("what does not fit one answer goes on amid an entry")
    mutating func parts() throws {
        var follower = Follower(filter: ListFilter(unit: "Roads"))
        try catchUp(&follower, at: .a, time: 0)
        let ids = (1...9).map { TicketID(milliseconds: $0, random: (1, 1)) }
        let text = String(repeating: "x", count: 300_000)
        for id in ids { try submit([.open(OpenTicket(id: id, openedAt: 5, category: "c", text: text))], to: .a) }
        let before = pair[.a].log.log.last.lsn.value
        try submit(ids.map { .dispatch($0, unit: "Roads", note: "") }, to: .a)
        #expect(pair[.a].log.log.last.lsn.value == before + 1)
        let feed = try #require(feeds[.a])
        var counts: [Int] = []
        while follower.members.count < ids.count {
            let found = try #require(try ask(feed, follower.filter, follower.mark))
            if !found.changes.isEmpty { counts.append(found.changes.count) }
            follower.take(found)
        }
        #expect(counts == [4, 4, 1])
    }

    @Test("a mark that the log does not hold any more, or never held, begins again")
    mutating func beginsAgain() throws {
        let first = TicketID(milliseconds: 1, random: (1, 1))
        try submit([.open(OpenTicket(id: first, openedAt: 5, category: "c", text: "t"))], to: .a)
        let feed = try #require(feeds[.a])
        let good = try #require(try ask(feed, ListFilter(), nil)).mark
        for number in 2...4 {
            try submit([.note(first, text: "\(number)")], to: .a)
        }
        #expect(try ask(feed, ListFilter(), good)?.changes.count == 3)
        var other = good
        other.epoch += 2
        #expect(try ask(feed, ListFilter(), other)?.beginsAgain == true)
        // Of a log that was longer, and was given up.
        let tip = try #require(try ask(feed, ListFilter(), nil)).mark
        other = ListMark(epoch: tip.epoch - 1, lsn: tip.lsn + 5)
        #expect(try ask(feed, ListFilter(), other)?.beginsAgain == true)
        // Ahead of this node: it waits.
        other = ListMark(epoch: tip.epoch, lsn: tip.lsn + 5)
        #expect(try ask(feed, ListFilter(), other) == ListChanges(mark: other))
    }
}

/// The same numbers for the same seed.
private struct Draws {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

    mutating func below(_ limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % max(limit, 1)
    }
}
