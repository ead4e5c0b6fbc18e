import Daemon
import Replication

/// What people do on purpose, while the seats work.
extension DrillFault {
    static let maintenance: [DrillFault] = [
        DrillFault("switchover", "the lead is moved, as for maintenance") { scene in
            try await scene.switchOver()
            scene.mend("done")
        },
        DrillFault(
            "upgrade", "both nodes are restarted one after the other, the primary after a switchover", isUsual: true
        ) { scene in
            let first = try scene.process(HostName(scene.standby))
            let second = try scene.process(HostName(scene.primary))
            try await scene.restart(first)
            try await scene.switchOver()
            try await scene.waitUntilPaired()
            try await scene.restart(second)
        },
    ]
}

extension DrillScene {
    /// The standby, orderly.
    func restart(_ process: ManagedProcess) async throws {
        mark("stop \(process.name)")
        process.stop()
        mend("start \(process.name)")
        try process.start()
        try await waitUntilPaired()
    }
}
