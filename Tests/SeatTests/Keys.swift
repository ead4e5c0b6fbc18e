import Foundation
import Transport

@testable import Seat

/// A pair's certificates, made once per test run; the folder goes when the run ends.
struct Keys: Sendable {
    static let shared = Keys()
    let folder: String

    private init() {
        let folder = NSTemporaryDirectory() + "/twinline-seat-" + UUID().uuidString
        self.folder = folder
        temporary = folder
        let script =
            URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path + "/Deploy/pki"
        let commands =
            [["init", folder, "hotline"]] + ["node/a", "node/b", "seat/017"].map { ["issue", folder, $0] }
        for arguments in commands {
            let process = Process()
            process.executableURL = URL(filePath: script)
            process.arguments = arguments
            try? process.run()
            process.waitUntilExit()
        }
        atexit { try? FileManager.default.removeItem(atPath: temporary) }
    }

    func server(_ name: String) throws -> TLSContext { try TLSContext(.server, files(name), protocols: [.seat]) }

    func files(_ name: String) -> TLSFiles {
        TLSFiles(
            certificate: "\(folder)/\(name).pem", key: "\(folder)/\(name).key", authority: "\(folder)/ca.pem",
            revocations: "\(folder)/crl.pem")
    }

    func configuration(_ routes: [SeatConfiguration.Route]) -> SeatConfiguration {
        let files = files("seat-017")
        return SeatConfiguration(
            routes: routes, certificate: files.certificate, key: files.key, authority: files.authority,
            revocations: files.revocations)
    }
}

/// Written once, before anything reads it.
nonisolated(unsafe) private var temporary = ""
