import Foundation

/// How late things are on the machine that the tests run on: 1 where nothing else runs. `Deploy/test` measures it all
/// the time, and says it to each process that it starts, in `TWINLINE_TEST_PACE`.
///
/// A test waits for facts, whenever they come. Some can't do without a time: how long a node may be silent before it
/// counts as lost, or a disk stuck. They stretch it by this, so that a busy machine's hiccup is no loss.
package enum Pace {
    package static let factor =
        ProcessInfo.processInfo.environment["TWINLINE_TEST_PACE"].flatMap { Int($0) }.map { max(1, $0) } ?? 1

    /// For waiting in vain: no fact that will come takes so long, and a test that waits for another one has failed.
    package static var inVain: Duration { .seconds(150) * factor }
}

extension Duration {
    package var paced: Duration { self * Pace.factor }
}
