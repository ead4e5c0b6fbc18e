import Engine
import NIOCore
import Replication
import Transport
import Wire

/// The seats' connections of one event loop, and what they were last told. Touched on that loop only.
final class SeatRoster {
    private(set) var standing: Standing
    private var seats: [ObjectIdentifier: SeatHandler] = [:]
    private let changed: (Identity, SeatReach<Identity>.Change) -> Void
    /// How many such rosters the node has; its connections are spread over them evenly.
    private let rosters: Int

    /// - Parameter changed: who came, went, or reaches other nodes than before.
    init(
        standing: Standing, oneOf rosters: Int, changed: @escaping (Identity, SeatReach<Identity>.Change) -> Void
    ) {
        (self.standing, self.rosters, self.changed) = (standing, rosters, changed)
    }

    /// Of the whole node, about.
    var connections: Int { seats.count * rosters }

    func add(_ seat: SeatHandler) {
        seats[ObjectIdentifier(seat)] = seat
        changed(seat.identity, .came)
    }

    func remove(_ seat: SeatHandler) {
        guard seats.removeValue(forKey: ObjectIdentifier(seat)) != nil else { return }
        changed(seat.identity, .left(wasStranded: seat.isStranded))
    }

    func reachChanged(of seat: SeatHandler) { changed(seat.identity, .said(isStranded: seat.isStranded)) }

    func heard(since moment: Instant) -> Set<Identity> {
        Set(seats.values.filter { $0.heardAt >= moment }.map(\.identity))
    }

    func close() { for seat in seats.values { seat.close() } }

    func tell(_ standing: Standing) {
        self.standing = standing
        for seat in seats.values {
            seat.write(standing, connections: connections)
            seat.flush()
        }
    }
}

/// The event loops that seats' connections live on, and the way to each of them from any thread.
final class SeatLoops: Sendable {
    let loops: [any EventLoop]
    private let rosters: [NIOLoopBound<SeatRoster>]

    /// Who came, went, or reaches other nodes than before.
    typealias Changed = @Sendable (Identity, SeatReach<Identity>.Change) -> Void

    /// - Parameter changed: called on any of the loops.
    init(_ loops: [any EventLoop], standing: Standing, changed: @escaping Changed) async throws {
        self.loops = loops
        var rosters: [NIOLoopBound<SeatRoster>] = []
        for loop in loops {
            rosters.append(
                try await loop.submit {
                    NIOLoopBound(SeatRoster(standing: standing, oneOf: loops.count, changed: changed), eventLoop: loop)
                }.get())
        }
        self.rosters = rosters
    }

    func index(of loop: any EventLoop) -> Int { loops.firstIndex { $0 === loop } ?? 0 }

    /// On that loop only.
    func roster(_ index: Int) -> SeatRoster { rosters[index].value }

    func tell(_ standing: Standing) {
        for (index, loop) in loops.enumerated() {
            if loop.inEventLoop {
                rosters[index].value.tell(standing)
            } else {
                loop.execute { self.rosters[index].value.tell(standing) }
            }
        }
    }

    /// How many seats something came from lately, whichever loops their connections live on.
    func heard(since moment: Instant, on loop: any EventLoop) -> EventLoopFuture<Int> {
        let each = loops.enumerated().map { index, loop in
            loop.submit { self.rosters[index].value.heard(since: moment) }
        }
        return EventLoopFuture.whenAllSucceed(each, on: loop).map { sets in
            sets.reduce(into: Set<Identity>()) { $0.formUnion($1) }.count
        }
    }

    /// Ends every seat's connection.
    func close() {
        for (index, loop) in loops.enumerated() { loop.execute { self.rosters[index].value.close() } }
    }

    func deliver(_ answers: [WriteAnswer]) {
        each(answers, loop: \.connection.loop) { answers in
            for answer in answers { answer.connection.write(answer) }
            for answer in answers { answer.connection.flush() }
        }
    }

    func deliver(_ answers: [ReadAnswer]) {
        each(answers, loop: \.connection.loop) { answers in
            for answer in answers { answer.connection.write(answer) }
            for answer in answers { answer.connection.flush() }
        }
    }

    /// One hop for each loop, however many answers.
    private func each<Answer: Sendable>(
        _ answers: [Answer], loop: (Answer) -> Int, _ send: @escaping @Sendable ([Answer]) -> Void
    ) {
        if loops.count == 1 { return run(on: loops[0], answers, send) }
        for (index, eventLoop) in loops.enumerated() {
            let own = answers.filter { loop($0) == index }
            if !own.isEmpty { run(on: eventLoop, own, send) }
        }
    }

    private func run<Answer: Sendable>(
        on loop: any EventLoop, _ answers: [Answer], _ send: @escaping @Sendable ([Answer]) -> Void
    ) {
        if loop.inEventLoop { send(answers) } else { loop.execute { send(answers) } }
    }
}
