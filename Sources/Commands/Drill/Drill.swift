import Daemon
import Foundation
import Replication
import Seat

/// A drill on hosts of its own, from their making to the report. Runs inside `OwnNamespaces`.
struct Drill {
    let faults: [DrillFault]
    let seats: Int
    let seed: UInt64
    let history: RunHistory
    /// Where configurations and logs are kept; nil: nowhere.
    var directory: URL?
    var disksLie = false

    func run() async -> DrillReport {
        var report = DrillReport(
            subject: "a pair of its own in network namespaces", began: Date().formatted(.iso8601),
            version: twinlineVersion, seats: seats)
        let start = ContinuousClock.now
        let timeline = Timeline()
        do {
            let scene = try await makeScene(timeline.say)
            scene.disksLie = disksLie
            try await scene.pair.start()
            timeline.say("four hosts, two routes, a witness and two nodes are up and paired")
            try await scene.seats.connect()
            timeline.say("\(seats) seats are connected, \(4 * seats) connections")
            await perform(scene, timeline, &report)
            await scene.seats.close()
            await scene.probe.close()
        } catch { report.trouble = "\(error)" }
        report.seconds = (ContinuousClock.now - start) / .seconds(1)
        return report
    }

    private func perform(_ scene: DrillScene, _ timeline: Timeline, _ report: inout DrillReport) async {
        let watch = RoleWatch(scene.probe)
        let watching = Task { await watch.watch() }
        let seats = scene.seats
        let work = Task { await seats.work() }
        let run = DrillRun(scene: scene, watch: watch)
        do { try await scene.waitForAnswers(100) } catch { report.trouble = "\(error)" }
        for fault in faults where report.trouble == nil {
            timeline.say("– \(fault.name): \(fault.summary)")
            let record = await run.run(fault.name, fault.summary, losesTwo: fault.weight == .two) {
                try await fault.carryOut(scene)
            }
            report.faults.append(record)
            timeline.say(Self.line(record))
            if record.trouble != nil { await scene.tidyUp() }
        }
        seats.stop()
        await work.value
        timeline.say("the seats are done; looking up all that was ever acknowledged")
        do {
            try await report.lookUp(in: scene)
            // Nobody else has written any.
            try await history.list(by: scene.clients.probe, scene.probe)
        } catch { report.trouble = report.trouble ?? "looking up what was acknowledged: \(error)" }
        timeline.say("checking the history of all that was asked and told")
        report.check(history)
        timeline.say("comparing both nodes' tables at one entry")
        await report.compare(scene.pair.view)
        watching.cancel()
        await watching.value
    }

    private static func line(_ record: FaultRecord) -> String {
        let blackout = record.blackout.map { String(format: "blackout %.0f ms", $0) } ?? "nobody was answered"
        let paired = record.toPaired.map { String(format: "paired %.0f ms after the mending", $0) } ?? "NOT PAIRED"
        return "  \(blackout), \(record.errors) errors, \(paired)"
    }

    /// One fault follows the other here, and the pair would take their sum for a standby that flaps; within this window
    /// only a flapping link is one.
    private static let settings = """
        segment-size: 8MiB
        timings:
          flap-window: 10s
        """

    private func makeScene(_ say: @escaping (String) -> Void) async throws -> DrillScene {
        let hosts = try await Hosts()
        let directory = directory ?? Hosts.directory
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let libraries = try await FaultLibrary.build(in: directory)
        var disks: [HostName: HostDisk] = [:]
        var clocks: [HostName: HostClock] = [:]
        func place(_ host: HostName, port: Int) throws -> PairPlaces.Place {
            let disk = try HostDisk(host, in: directory)
            let clock = try HostClock(host, in: directory)
            (disks[host], clocks[host]) = (disk, clock)
            var environment = libraries.merging(disk.environment) { $1 }.merging(clock.environment) { $1 }
            environment["TWINLINE_DISK_FAULTS"] = DrillScene.diskFaults(host, in: directory)
            let networks = host.networks
            return PairPlaces.Place(
                routes: networks.filter { $0 != .watch }.map { $0.address(of: host) },
                watch: networks.filter { $0 == .watch }.map { $0.address(of: host) }, port: port, data: disk.data,
                launcher: hosts.launcher(host), environment: environment)
        }
        var places = PairPlaces(
            nodes: PerNode(a: try place(.a, port: 7411), b: try place(.b, port: 7411)),
            witness: try place(.witness, port: 7410))
        places.revokes = true
        let pair = try ThrowawayPair(
            in: directory, keep: self.directory != nil, seats: seats + 1, program: ManagedProcess.ownProgram,
            settings: Self.settings, places: places)
        var watcher = pair.seat(seats + 1)
        watcher.routes = NodeName.allCases.map {
            SeatConfiguration.Route($0, address: Network.watch.address(of: HostName($0)), port: 7411)
        }
        return DrillScene(
            hosts: hosts, pair: pair, disks: disks, clocks: clocks,
            seats: try DrillSeats((1...seats).map(pair.seat), seed: seed, history: history),
            probe: try SeatClient(configuration: watcher), seed: seed, say: say)
    }
}
