import Daemon
import Foundation
import Replication
import Seat

/// A drill on a user's own pair, with the commands that they gave.
struct GameDay {
    let plan: GameDayPlan
    let pair: DrilledPair
    let name: String

    /// Why it must not begin: whatever it stopped, nobody would take over.
    static func refusal(_ sight: PairView.Sight) -> String? {
        guard !sight.isPaired else { return nil }
        return "not started, and nothing was touched: \(sight.verdict)"
    }

    func run(_ timeline: Timeline) async -> DrillReport {
        var report = DrillReport(
            subject: "pair \(name)", began: Date().formatted(.iso8601), version: twinlineVersion,
            seats: pair.seats.count)
        report.writes = pair.seats.writes
        let start = ContinuousClock.now
        let watch = RoleWatch(pair.probe)
        let watching = Task { await watch.watch() }
        let seats = pair.seats
        do { try await seats.connect() } catch { report.trouble = "\(error)" }
        let work = Task { await seats.work() }
        let run = DrillRun(scene: pair, watch: watch)
        if report.trouble == nil {
            do { try await pair.waitForAnswers() } catch { report.trouble = "\(error)" }
        }
        for fault in plan.faults where report.trouble == nil {
            timeline.say("– \(fault.name): \(fault.summary)")
            let record = await run.run(fault.name, fault.summary) { try await carryOut(fault) }
            report.faults.append(record)
            // On somebody's own pair nothing is broken on top of what is broken.
            if let trouble = record.trouble { report.trouble = "stopped after \(fault.name): \(trouble)" }
        }
        seats.stop()
        await work.value
        try? await report.lookUp(in: pair)
        report.check(pair.history)
        timeline.say("comparing both nodes' tables at one entry, while the pair works on")
        await report.compare(pair.view)
        watching.cancel()
        await watching.value
        report.seconds = (ContinuousClock.now - start) / .seconds(1)
        return report
    }

    private func carryOut(_ fault: GameDayPlan.Fault) async throws {
        switch fault {
        case .switchover:
            try await pair.switchOver()
            pair.mend("done")
        case .stop(let part):
            let place = part.host(pair).rawValue
            guard let stop = plan.stop[place], let start = plan.start[place] else {
                throw Failure("there is no command for \(place)")
            }
            pair.mark("\(place): \(stop)")
            try await ShellCommand(["sh", "-c", stop]).run()
            do { try await pair.waitForLoss(of: part) } catch {
                // Started again all the same: what was stopped must not stay so.
                _ = try? await ShellCommand(["sh", "-c", start]).run()
                throw error
            }
            pair.mend("\(place): \(start)")
            try await ShellCommand(["sh", "-c", start]).run()
        }
    }
}
