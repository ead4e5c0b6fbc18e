import Daemon
import NIOPosix
import Replication

extension DrillFault {
    static let disks: [DrillFault] =
        [PairPart.primary, .standby].map(full) + [fullOnBoth] + PairPart.allCases.map(failing)
        + PairPart.allCases.map(slow) + [wipedWitness, wipedNode]

    private static func full(_ part: PairPart) -> DrillFault {
        DrillFault("full-\(part)", "the disk of the \(part) is full at once", isUsual: part == .primary) { scene in
            let host = part.host(scene)
            scene.mark("node \(host)'s disk is full")
            try scene.disk(host).fill()
            try await scene.waitForLoss(of: part)
            try scene.disk(host).makeRoom()
            scene.mend("node \(host)'s disk has room")
        }
    }

    private static let fullOnBoth = DrillFault(
        "full-both", "both nodes' disks are full at once", weight: .two
    ) { scene in
        scene.mark("both disks are full")
        for host in [HostName.a, .b] { try scene.disk(host).fill() }
        try await scene.wait(for: "both nodes to notice") { sight in
            NodeName.allCases.allSatisfy { sight.nodes[$0].value?.diskFull == true }
        }
        // A node takes no more once it knows that the other one has no room either: with the next heartbeat.
        try await scene.askInVain(within: .seconds(2))
        for host in [HostName.a, .b] { try scene.disk(host).makeRoom() }
        scene.mend("both disks have room")
    }

    private static func failing(_ part: PairPart) -> DrillFault {
        DrillFault("fail-sync-\(part)", "syncs of the \(part)'s disk fail, and its process ends") { scene in
            let host = part.host(scene)
            let process = try scene.process(host)
            scene.mark("syncs of \(process.name) fail")
            try scene.breakDisk(host, "sync-fails 1")
            if part == .witness {
                // It syncs when something is decided: a switchover asks it.
                _ = try? await scene.view.switchOver(from: scene.primary)
            }
            try await scene.waitForEnd(of: process)
            if part != .witness { try await scene.waitForLoss(of: part) }
            try await scene.waitForAnswers()
            try scene.breakDisk(host)
            scene.mend("start \(process.name) with a disk that works")
            try process.start()
        }
    }

    private static func slow(_ part: PairPart) -> DrillFault {
        DrillFault("slow-\(part)", "each sync of the \(part)'s disk takes 5 s", isUsual: part == .primary) { scene in
            let host = part.host(scene)
            scene.mark("each sync of \(try scene.process(host).name)'s disk takes 5 s")
            try scene.breakDisk(host, "sync-delay-ms 5000")
            if part == .witness {
                try await scene.hold(.seconds(3))
                try await scene.waitForAnswers()
            } else {
                try await scene.waitForLoss(of: part)
                try await scene.hold(.seconds(1))
            }
            try scene.breakDisk(host)
            scene.mend("its disk is as fast as before")
        }
    }

    private static let wipedWitness = DrillFault(
        "wipe-witness", "the witness's disk is lost; an empty one is adopted", isUsual: true
    ) { scene in
        scene.mark("the witness and its disk are lost")
        scene.pair.witness.kill()
        try scene.disk(.witness).wipe()
        try await scene.waitForLoss(of: .witness)
        scene.mend("start an empty witness; twinline witness adopt")
        try scene.pair.witness.start()
        try await scene.waitForWitness()
        try await scene.twinline(.seats, "witness", "adopt", config: "seat.yaml")
    }

    private static let wipedNode = DrillFault(
        "wipe-node", "the standby's disk is lost; it is reseeded"
    ) { scene in
        let host = HostName(scene.standby)
        let process = try scene.process(host)
        scene.mark("\(process.name) and its disk are lost")
        process.kill()
        try scene.disk(host).wipe()
        try await scene.waitForLoss(of: .standby)
        scene.mend("twinline reseed; start \(process.name)")
        try await scene.twinline(host, "reseed", config: "node-\(scene.standby).yaml")
        try process.start()
    }
}

extension DrillScene {
    func waitForEnd(of process: ManagedProcess) async throws {
        let deadline = ContinuousClock.now + Self.limit
        while process.isRunning {
            guard ContinuousClock.now < deadline else { throw Failure("\(process.name) did not end") }
            try await Task.sleep(for: .milliseconds(10))
        }
        mark("\(process.name) has ended with code \(process.waitForExit() ?? -1)")
    }

    /// It listens.
    fileprivate func waitForWitness() async throws {
        let deadline = ContinuousClock.now + Self.limit
        let witness = try pair.places.witness.watched[0]
        let client = try OpsClient(
            tls: ThrowawayPair.tls("ops-demo", in: pair.directory), group: MultiThreadedEventLoopGroup.singleton)
        while (try? await client.witness(at: witness)) == nil {
            guard ContinuousClock.now < deadline else { throw Failure("the witness does not answer") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
