import Replication
import Tickets
import Wire

/// A list that is followed: first as it is, then what happens to it, in order and each change once, whichever node
/// leads meanwhile.
///
///     for try await step in client.follow(ListFilter(state: .dispatched, unit: "Roads")) { … }
///
/// Nothing is lost when the consumer is slow, or stops for a while: the next step only tells of more changes. While no
/// node answers there is no step. It ends when the client is closed or the task cancelled.
public struct Subscription: AsyncSequence, Sendable {
    public enum Update: Equatable, Sendable {
        /// The list as it is, newest ticket first. What was known of it before counts no more: it is the first step,
        /// and comes again if the pair no longer knows what happened since the last one.
        case list([Ticket])
        case changes([ListChange])
    }

    public struct Element: Equatable, Sendable {
        public var update: Update
        /// To go on behind this step, also in another run of the program.
        public var mark: ListMark
    }

    public typealias Failure = SeatError

    private let client: SeatClient
    private let filter: ListFilter
    private let mark: ListMark?

    init(_ client: SeatClient, _ filter: ListFilter, from mark: ListMark?) {
        (self.client, self.filter, self.mark) = (client, filter, mark)
    }

    public func makeAsyncIterator() -> Iterator { Iterator(client, filter, from: mark) }

    public struct Iterator: AsyncIteratorProtocol, Sendable {
        /// More than a node lets pass before it answers without a change.
        private static let patience = Duration.seconds(60)
        private static let page = 500

        private let client: SeatClient
        private let filter: ListFilter
        private var mark: ListMark?
        private var shown = ShownTickets()

        fileprivate init(_ client: SeatClient, _ filter: ListFilter, from mark: ListMark?) {
            (self.client, self.filter, self.mark) = (client, filter, mark)
        }

        /// - Throws: `SeatError.refused`.
        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(SeatError) -> Element? {
            while !Task.isCancelled {
                do throws(SeatError) {
                    guard case .changes(let found) = try await ask(.changes(of: filter, since: mark)) else { continue }
                    if let step = try await step(found) { return step }
                } catch {
                    // Nobody answered: for that a subscription waits, however long it takes.
                    guard error == .unreachable else { throw error }
                    if await client.isClosed { return nil }
                }
            }
            return nil
        }

        private mutating func step(_ found: ListChanges) async throws(SeatError) -> Element? {
            if found.beginsAgain {
                let tickets = try await list(at: found.mark)
                shown.begin(tickets)
                mark = found.mark
                return Element(update: .list(tickets), mark: found.mark)
            }
            mark = found.mark
            let news = found.changes.filter { shown.isNew($0) }
            return news.isEmpty ? nil : Element(update: .changes(news), mark: found.mark)
        }

        private func list(at mark: ListMark) async throws(SeatError) -> [Ticket] {
            var tickets: [Ticket] = []
            while true {
                let query = Query.list(
                    state: filter.state, unit: filter.unit, before: tickets.last?.id, limit: Self.page,
                    overdueAt: filter.overdue ? mark.time : nil)
                let level = SeatClient.ReadLevel.atLeast(epoch: mark.epoch, lsn: mark.lsn)
                guard case .tickets(let page) = try await ask(query, level) else { throw .unreachable }
                // A page may hold fewer, if their texts are long.
                if page.isEmpty { return tickets }
                tickets += page
            }
        }

        private func ask(
            _ query: Query, _ level: SeatClient.ReadLevel = .latest
        ) async throws(SeatError) -> View {
            try await client.cancellable(Self.patience, \.view) {
                $0.ask(query, level: SeatRead.Level(level), for: $1, by: $2, at: $3)
            }
        }
    }
}

extension SeatClient {
    /// Follows a list: a unit's screen, what is overdue.
    /// - Parameter mark: of an earlier run: then what has happened since comes first, instead of the list.
    public func follow(_ filter: ListFilter, from mark: ListMark? = nil) -> Subscription {
        Subscription(self, filter, from: mark)
    }

    var isClosed: Bool {
        get async { await onLoopResult { $0.isClosed } }
    }
}
