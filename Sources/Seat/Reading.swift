import Replication
import Tickets
import Wire

/// What a query showed, and of when.
public struct Reading: Equatable, Sendable {
    public var view: View
    public var origin: Origin
}

/// When the database was what an answer shows.
public struct Origin: Equatable, Sendable {
    /// The node had applied everything up to here, and nothing after it: what `ReadLevel.atLeast` takes.
    public var epoch: UInt64, lsn: UInt64
    /// Of a standby's answer: all that was answered, to anyone, so long before it took the question is in it. Nil: from
    /// the primary, or not known.
    public var age: Duration?

    init(_ answer: Twinline_Seat_V1_ReadAnswer) {
        (epoch, lsn) = (answer.positionEpoch, answer.positionLsn)
        age = answer.hasAgeUs ? .microseconds(Int64(clamping: answer.ageUs)) : nil
    }
}

extension SeatClient {
    /// A query, with the position and the age of what it shows.
    public func read(
        _ query: Query, level: ReadLevel = .latest, within patience: Duration = usualPatience
    ) async throws(SeatError) -> Reading {
        try await cancellable(patience, \.reading) {
            $0.ask(query, level: SeatRead.Level(level), for: $1, by: $2, at: $3)
        }
    }
}

extension SeatSession.Outcome {
    fileprivate var reading: Result<Reading, SeatError> {
        if case .view(let view, let origin) = self {
            .success(Reading(view: view, origin: origin))
        } else {
            failure()
        }
    }
}
