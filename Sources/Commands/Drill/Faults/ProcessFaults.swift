import Daemon
import Replication

extension DrillFault {
    static let processes: [DrillFault] =
        PairPart.allCases.map(killed) + PairPart.allCases.map(frozen) + [
            DrillFault("kill-in-turn", "the witness dies and comes back, then the primary") { scene in
                for part in [PairPart.witness, .primary] {
                    let process = try scene.process(part.host(scene))
                    scene.mark("SIGKILL \(process.name)")
                    process.kill()
                    try await scene.waitForLoss(of: part)
                    scene.mend("start \(process.name)")
                    try process.start()
                    try await scene.waitUntilPaired()
                }
            },
            lost(.primary, .standby), lost(.witness, .primary), lost(.witness, .standby),
        ]

    private static func killed(_ part: PairPart) -> DrillFault {
        DrillFault("kill-\(part)", "the process of the \(part) is killed", isUsual: true) { scene in
            let process = try scene.process(part.host(scene))
            scene.mark("SIGKILL \(process.name)")
            process.kill()
            try await scene.waitForLoss(of: part)
            try await scene.hold(.milliseconds(300))
            scene.mend("start \(process.name)")
            try process.start()
        }
    }

    private static func frozen(_ part: PairPart) -> DrillFault {
        DrillFault(
            "freeze-\(part)", "the process of the \(part) is stopped and later goes on, as a machine that hangs",
            isUsual: part == .primary
        ) { scene in
            let process = try scene.process(part.host(scene))
            scene.mark("SIGSTOP \(process.name)")
            process.freeze()
            try await scene.waitForLoss(of: part)
            try await scene.hold(.seconds(1))
            scene.mend("SIGCONT \(process.name)")
            process.wake()
        }
    }

    private static func lost(_ first: PairPart, _ second: PairPart) -> DrillFault {
        DrillFault(
            "kill-\(first)-and-\(second)", "the processes of \(first) and \(second) are killed together", weight: .two
        ) { scene in
            let processes = try [first, second].map { try scene.process($0.host(scene)) }
            scene.mark("SIGKILL " + processes.map(\.name).joined(separator: " and "))
            for process in processes { process.kill() }
            try await scene.hold(.milliseconds(500))
            try await scene.askInVain()
            scene.mend("start " + processes.map(\.name).joined(separator: " and "))
            for process in processes { try process.start() }
        }
    }
}
