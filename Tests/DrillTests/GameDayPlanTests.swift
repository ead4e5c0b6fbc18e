import Replication
import Testing
import Wire

@testable import Commands

/// What a game day would do to somebody's own pair, and when it must not.
@Suite struct GameDayPlanTests {
    private static let stop = ["a=kill -9 $(cat a.pid)", "b=ssh b stop=now"]
    private static let start = ["a=start a", "b=start b"]

    private func failure(_ faults: String?, _ stop: [String] = [], _ start: [String] = []) -> String? {
        do {
            _ = try GameDayPlan(faults: faults, stop: stop, start: start)
            return nil
        } catch { return "\(error)" }
    }

    @Test("without names all is done that there are commands for")
    func usual() throws {
        #expect(try GameDayPlan(faults: nil, stop: [], start: []).faults == [.switchover])
        #expect(
            try GameDayPlan(faults: nil, stop: Self.stop, start: Self.start).faults
                == [.switchover, .stop(.standby), .stop(.primary)])
        let plan = try GameDayPlan(faults: nil, stop: Self.stop + ["witness=x"], start: Self.start + ["witness=y"])
        #expect(plan.faults.last == .stop(.witness) && plan.stop["b"] == "ssh b stop=now")
    }

    @Test("what is missing is named: either node may lead by then")
    func missing() {
        #expect(failure("stop-primary", ["a=x"], Self.start) == "stop-primary needs a command for each of --stop b")
        #expect(
            failure("switchover,stop-witness")
                == "stop-witness needs a command for each of --stop witness, --start witness")
        #expect(failure("kill-primary")?.contains("there are switchover, stop-standby") == true)
    }

    @Test("a dry run says every step, with the node that will lead by then")
    func steps() throws {
        let plan = try GameDayPlan(faults: "stop-primary,switchover,stop-standby", stop: Self.stop, start: Self.start)
        #expect(
            plan.steps(primary: .b).joined(separator: "\n") == """
                1. stop-primary: the primary is stopped by your command, and started again
                     wait until a failover is possible
                     run: ssh b stop=now
                     wait until node a leads and seats are answered
                     run: start b
                2. switchover: the lead is moved, as for maintenance
                     wait until a failover is possible
                     ask node a to hand over to node b
                3. stop-standby: the standby is stopped by your command, and started again
                     wait until a failover is possible
                     run: kill -9 $(cat a.pid)
                     wait until the pair goes on without it and seats are answered
                     run: start a
                Then wait until a failover is possible, and compare both nodes' tables at one entry.
                """)
    }

    @Test("it does not start while no failover would be possible, and says why")
    func refusal() {
        var status = Twinline_Seat_V1_Status()
        status.standing.role = .primary
        status.failoverReason = "witness unreachable since 10 s"
        func sight() -> PairView.Sight {
            PairView.Sight(nodes: PerNode(a: .success(status), b: .failure(.init(text: "no answer"))))
        }
        #expect(
            GameDay.refusal(sight()) == "not started, and nothing was touched: node a leads; no failover possible: "
                + "witness unreachable since 10 s")
        status.failoverPossible = true
        #expect(GameDay.refusal(sight()) == nil)
        let silent = PairView.Sight(nodes: PerNode(a: .failure(.init(text: "x")), b: .failure(.init(text: "y"))))
        #expect(GameDay.refusal(silent)?.contains("NOBODY LEADS") == true)
    }
}
