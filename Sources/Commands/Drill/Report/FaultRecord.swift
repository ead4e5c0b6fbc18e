import Histories
import Replication
import Seat

/// What a fault of a drill did to the seats.
struct FaultRecord: Equatable, Sendable {
    struct Mark: Equatable, Sendable {
        /// Milliseconds from the fault's beginning.
        var at: Double
        var text: String
    }

    struct Band: Equatable, Sendable {
        var role: String
        /// Milliseconds from the fault's beginning.
        var from, to: Double
    }

    var name: String
    var summary: String
    /// Two were lost at once: writes may wait or be refused.
    var losesTwo = false
    /// Whether tickets were written, so that lost ones can be told.
    var writes = true
    /// The longest time without an answer to a write, or to a read where nothing is written, in milliseconds; nil:
    /// nobody was answered.
    var blackout: Double?
    /// The longest that each seat waited for one answer: of all seats the median, in milliseconds.
    var medianWait: Double?
    /// 99 in 100 answers came within, in milliseconds.
    var percentile99: Double?
    /// Requests that ended without being done or answered.
    var errors = 0
    /// The first few, in words.
    var examples: [String] = []
    /// Answered, and not there; done more than once. Nil: it could not be looked up.
    var lost: Int?
    var duplicated: Int?
    /// Milliseconds from the mending until a failover was possible again; nil: it wasn't.
    var toPaired: Double?
    /// What a seat was told while two were lost.
    var refusal: String?
    /// Why the fault could not be carried through.
    var trouble: String?
    var marks: [Mark] = []
    /// Of node a, then of node b.
    var bands: [[Band]] = [[], []]
    /// Answers to seats, reads and writes, for each 10 ms of the picture.
    var answers: [Int] = []
    /// Where the picture begins: milliseconds from the fault's beginning, so below zero.
    var pictureFrom = 0.0

    static let binMilliseconds = 10.0

    init(name: String, summary: String) { (self.name, self.summary) = (name, summary) }

    /// Nothing lost, nothing twice, no error where one loss is borne, a clear refusal where two are lost, paired again.
    var isGood: Bool {
        trouble == nil && (!writes || lost == 0 && duplicated == 0) && toPaired != nil
            && (losesTwo ? refusal != nil : errors == 0)
    }

    /// Computes what the seats' operations show of a time, in nanoseconds of their clock.
    mutating func measure(_ operations: [SeatOperation], from start: UInt64, to end: UInt64, pictureFrom: UInt64) {
        let times = operations.filter { writes ? $0.acknowledged != nil : $0.error == nil }.map(\.completed)
            .filter { $0 >= start && $0 <= end }.sorted()
        blackout = zip([start] + times, times + [end]).map { Double($1 - $0) / 1_000_000 }.max()
        if times.isEmpty { blackout = nil }
        let answered = operations.filter { $0.completed >= start && $0.completed <= end && $0.error == nil }
        let waits = answered.map { Double($0.completed - $0.invoked) / 1_000_000 }.sorted()
        percentile99 = waits.isEmpty ? nil : waits[(waits.count - 1) * 99 / 100]
        let longest = Dictionary(grouping: answered, by: \.seat).values
            .compactMap { $0.map { Double($0.completed - $0.invoked) / 1_000_000 }.max() }.sorted()
        medianWait = longest.isEmpty ? nil : longest[longest.count / 2]
        let failed = operations.filter { $0.completed >= start && $0.completed <= end }.compactMap { operation in
            operation.error.map { "seat \(operation.seat + 1), \(operation.call.words): \($0)" }
        }
        errors = failed.count
        examples = Array(failed.prefix(3))
        let bin = UInt64(Self.binMilliseconds * 1_000_000)
        answers = [Int](repeating: 0, count: Int((end - min(pictureFrom, end)) / bin) + 1)
        self.pictureFrom = -Double(start - min(pictureFrom, start)) / 1_000_000
        for operation in operations
        where operation.error == nil && operation.completed >= pictureFrom && operation.completed <= end {
            answers[Int((operation.completed - pictureFrom) / bin)] += 1
        }
    }
}
