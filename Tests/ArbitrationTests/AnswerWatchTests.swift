import NIOCore
import Testing

@testable import Arbitration

@Suite struct AnswerWatchTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private func at(_ milliseconds: Int64) -> NIODeadline { start + .milliseconds(milliseconds) }

    @Test("a connection that answers lives, though a request is under way whenever one looks")
    func livesOn() {
        var watch = AnswerWatch(patience: .seconds(2))
        let begins = watch.asked(at: at(0))
        #expect(begins)
        watch.answered()
        // Asked once a second: the moment to look is the moment of a new request.
        _ = watch.asked(at: at(1000))
        watch.answered()
        _ = watch.asked(at: at(2000))
        #expect(watch.verdict(at: at(2000)) == .waiting(until: at(4000)))
        watch.answered()
        #expect(watch.verdict(at: at(4000)) == .alive)
    }

    @Test("a connection that gives no answer for long is dead, however much more is asked")
    func dies() {
        var watch = AnswerWatch(patience: .seconds(2))
        var looks = 0
        for second in 0...3 where watch.asked(at: at(Int64(second) * 500)) { looks += 1 }
        #expect(looks == 1)
        #expect(watch.verdict(at: at(1999)) == .waiting(until: at(2000)))
        #expect(watch.verdict(at: at(2000)) == .dead)
    }
}
