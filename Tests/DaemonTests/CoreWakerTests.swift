import Foundation
import Testing

@testable import Daemon

@Suite("Cores kept awake")
struct CoreWakerTests {
    private let file = FileManager.default.temporaryDirectory.appending(path: "twinline-waker-\(UUID().uuidString)")

    /// How often this process has the file open.
    private var openings: Int {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)) == file.path
            }.count
        }
    }

    @Test("held from the first work until some looks after the last")
    func held() throws {
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let waker = CoreWaker(file.path, log: RecordedLog().logger)
        waker.look(hasWorked: false)
        #expect(try openings == 0)
        waker.look(hasWorked: true)
        waker.look(hasWorked: true)
        #expect(try openings == 1)
        #expect(try Data(contentsOf: file) == Data([0, 0, 0, 0]))
        for _ in 0..<2 { waker.look(hasWorked: false) }
        #expect(try openings == 1)
        waker.look(hasWorked: false)
        #expect(try openings == 0)
        waker.look(hasWorked: true)
        #expect(try openings == 1)
    }

    @Test("where it may not, it says so once and asks no more")
    func refused() {
        let log = RecordedLog()
        let waker = CoreWaker("/nowhere/latency", log: log.logger)
        for _ in 0..<3 { waker.look(hasWorked: true) }
        #expect(log.lines(with: "/nowhere/latency: No such file or directory").count == 1)
    }
}
