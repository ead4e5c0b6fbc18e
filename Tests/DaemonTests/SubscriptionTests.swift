import Foundation
import Replication
import Seat
import Synchronization
import TestSupport
import Testing
import Tickets
import Wire

@testable import Daemon

/// Lists followed on a real pair, over TLS, through the seat library, while the lead moves.
@Suite(.serialized) struct SubscriptionTests {
    private static let units = ["Roads", "Parks", "Water"]

    /// What a screen has been told.
    private final class Screen: Sendable {
        struct State {
            var lists = 0
            var members: [TicketID: Int64] = [:]
            /// Of each ticket, the revisions that were told, in that order.
            var told: [TicketID: [Int64]] = [:]
            var mark: ListMark?
        }
        let state = Mutex(State())

        func follow(_ client: SeatClient, _ filter: ListFilter, from mark: ListMark? = nil) -> Task<Void, any Error> {
            Task {
                for try await step in client.follow(filter, from: mark) {
                    state.withLock { take(step, &$0) }
                }
            }
        }

        private func take(_ step: Subscription.Element, _ state: inout State) {
            state.mark = step.mark
            switch step.update {
            case .list(let tickets):
                state.lists += 1
                state.members = [:]
                for ticket in tickets {
                    state.members[ticket.id] = ticket.revision
                    state.told[ticket.id, default: []].append(ticket.revision)
                }
            case .changes(let changes):
                for change in changes {
                    state.told[change.ticket, default: []].append(change.revision)
                    if case .left = change {
                        state.members[change.ticket] = nil
                    } else {
                        state.members[change.ticket] = change.revision
                    }
                }
            }
        }

        func wait(until holds: (State) -> Bool) async throws { try await eventually { state.withLock { holds($0) } } }
    }

    private static func ticket(_ number: Int) -> TicketID { TicketID(milliseconds: Int64(number + 1), random: (7, 7)) }
    private static func unit(_ number: Int) -> String { units[number % 3] }

    /// Three revisions behind the opening, of which the last takes it off a list of what is dispatched.
    private func work(_ client: SeatClient, _ numbers: Range<Int>) async throws {
        for number in numbers {
            let id = Self.ticket(number)
            _ = try await client.perform(
                .open(OpenTicket(id: id, openedAt: 5, category: "c", text: "t")), within: Pace.inVain)
            _ = try await client.perform(.dispatch(id, unit: Self.unit(number), note: ""), within: Pace.inVain)
            _ = try await client.perform(.note(id, text: "seen"), within: Pace.inVain)
            _ = try await client.perform(.accept(id, note: ""), within: Pace.inVain)
        }
    }

    @Test("each screen is told all of its unit, once and in order, across switchovers")
    func acrossSwitchovers() async throws {
        try await RunningPair.with { running in
            try await running.format()
            let seat = try SeatClient(configuration: running.pair.seat)
            let watcher = try SeatClient(configuration: running.pair.seat)
            let screens = Self.units.map { _ in Screen() }
            var tasks = zip(screens, Self.units).map { $0.follow(watcher, ListFilter(state: .dispatched, unit: $1)) }
            for screen in screens { try await screen.wait { $0.lists == 1 } }
            try await work(seat, 0..<30)
            try await running.switchOver(from: .a)
            async let more: Void = work(seat, 30..<60)
            // Closed in the middle, and opened again behind the last thing that it showed.
            try await screens[0].wait { $0.told.count > 12 }
            tasks[0].cancel()
            try await tasks[0].value
            tasks[0] = screens[0].follow(
                watcher, ListFilter(state: .dispatched, unit: Self.units[0]), from: screens[0].state.withLock(\.mark))
            try await running.switchOver(from: .b)
            try await more
            for (index, screen) in screens.enumerated() {
                try await screen.wait { $0.told.count == 20 && $0.members.isEmpty }
                for number in 0..<60 where number % 3 == index {
                    #expect(screen.state.withLock { $0.told[Self.ticket(number)] } == [2, 3, 4])
                }
                #expect(screen.state.withLock(\.lists) == 1)
            }
            for task in tasks { task.cancel() }
            await watcher.close()
            await seat.close()
        }
    }

    @Test(
        "a screen that opens amid the work shows each thing once, and what is overdue by itself")
    func late() async throws {
        try await RunningPair.with { running in
            try await running.format()
            let seat = try SeatClient(configuration: running.pair.seat)
            async let work: Void = work(seat, 0..<40)
            var tasks: [Task<Void, any Error>] = []
            let screens = (0..<6).map { _ in Screen() }
            for screen in screens {
                tasks.append(screen.follow(seat, ListFilter()))
                // The next one begins later in the work.
                try await screen.wait { $0.lists == 1 }
            }
            try await work
            for screen in screens {
                try await screen.wait { $0.members.count == 40 && $0.members.values.allSatisfy { $0 == 4 } }
                for revisions in screen.state.withLock({ Array($0.told.values) }) {
                    #expect(revisions == Array(revisions[0]...4))
                }
            }
            let overdue = Screen()
            tasks.append(overdue.follow(seat, ListFilter(overdue: true)))
            try await overdue.wait { $0.lists == 1 }
            let id = Self.ticket(100)
            let soon = OpenTicket(id: id, openedAt: 5, category: "c", text: "t", deadline: wallClockNow() + 1500)
            _ = try await seat.perform(.open(soon), within: Pace.inVain)
            try await overdue.wait { $0.members == [id: 1] }
            #expect(wallClockNow() >= soon.deadline ?? .max)
            await seat.close()
            // They end with the client.
            for task in tasks { try await task.value }
        }
    }
}
