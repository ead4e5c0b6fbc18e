import Daemon
import Foundation
import Replication
import Seat

/// Carries the faults out, one after another, and measures each.
struct DrillRun {
    let scene: DrilledPair
    let watch: RoleWatch

    /// So long the pair has been paired when a fault begins, and each seat has asked for something.
    private var calm: Duration { max(.milliseconds(800), scene.seats.pause) }
    private static let pairedWithin = Duration.seconds(60)

    func run(
        _ name: String, _ summary: String, losesTwo: Bool = false, _ carryOut: () async throws -> Void
    ) async -> FaultRecord {
        var record = FaultRecord(name: name, summary: summary)
        (record.losesTwo, record.writes) = (losesTwo, scene.seats.writes)
        let before = scene.seats.journal.count
        (scene.marks, scene.mended, scene.refusal) = ([], nil, nil)
        let early = monotonicNow().nanoseconds
        var start = early
        do {
            try await scene.waitUntilPaired()
            try await Task.sleep(for: calm)
            guard let primary = await scene.view.look().primary else { throw Failure("nobody leads") }
            scene.primary = primary
            start = monotonicNow().nanoseconds
            try await carryOut()
            try await scene.wait(for: "the pair to be paired again", within: Self.pairedWithin) { $0.isPaired }
            if let mended = scene.mended {
                record.toPaired = Double(monotonicNow().nanoseconds - mended) / 1_000_000
            }
            try await scene.waitForAnswers()
        } catch {
            record.trouble = "\(error)"
            scene.mark("FAILED: \(error)")
        }
        let end = monotonicNow().nanoseconds
        let operations = scene.seats.journal.operations(from: before)
        record.measure(operations, from: start, to: end, pictureFrom: max(early, start &- 500_000_000))
        record.refusal = scene.refusal
        draw(&record, from: start, to: end)
        if record.trouble == nil, record.writes {
            do {
                let audit = try await SeatAudit.of(operations, in: scene)
                (record.lost, record.duplicated) = (audit.lost, audit.duplicated)
                record.examples += audit.examples.prefix(3)
            } catch { record.trouble = "looking up what was acknowledged: \(error)" }
        }
        return record
    }

    private func draw(_ record: inout FaultRecord, from start: UInt64, to end: UInt64) {
        func at(_ time: UInt64) -> Double { (Double(time) - Double(start)) / 1_000_000 }
        record.marks = scene.marks.map { FaultRecord.Mark(at: at($0.at), text: $0.text) }
        let first = UInt64(max(Double(start) + record.pictureFrom * 1_000_000, 0))
        record.bands = NodeName.allCases.map { node in
            watch.bands(of: node, from: first, to: end).map {
                FaultRecord.Band(role: $0.role, from: at($0.from), to: at($0.to))
            }
        }
    }
}
