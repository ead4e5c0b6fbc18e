import Daemon
import Foundation
import Replication

extension DrillFault {
    static let certificates: [DrillFault] =
        [PairPart.primary, .standby].map(revoked) + [PairPart.primary, .standby].map(expired)

    private static func revoked(_ part: PairPart) -> DrillFault {
        DrillFault("revoke-\(part)", "the certificate of the \(part) is revoked; it gets a new one") { scene in
            let node = part == .primary ? scene.primary : scene.standby
            scene.mark("node \(node)'s certificate is revoked")
            try await scene.pki("revoke", "node/\(node)")
            try await scene.waitForLoss(of: part)
            try await scene.pki("issue", "node/\(node)")
            scene.mend("node \(node) has a new certificate")
        }
    }

    private static func expired(_ part: PairPart) -> DrillFault {
        DrillFault("expire-\(part)", "the certificate of the \(part) expires; it gets a new one") { scene in
            // The standby is restarted with one that is about to expire.
            let node = scene.standby
            let process = try scene.process(HostName(node))
            process.stop()
            let end = monotonicNow().nanoseconds + 10_000_000_000
            try await scene.replaceCertificate(of: node, secondsLeft: 10)
            try process.start()
            try await scene.waitUntilPaired()
            if part == .primary {
                try await scene.switchOver()
                scene.primary = node
                try await scene.waitUntilPaired()
            }
            let now = monotonicNow().nanoseconds
            if now < end { try await scene.hold(.nanoseconds(Int64(end - now))) }
            scene.mark("node \(node)'s certificate has expired")
            try await scene.waitForLoss(of: part)
            try await scene.replaceCertificate(of: node, secondsLeft: nil)
            scene.mend("node \(node) has a new certificate")
        }
    }
}

extension DrillScene {
    fileprivate func pki(_ verb: String, _ role: String) async throws {
        guard let pki = InstalledFile.find("pki") else { throw Failure("can't find Deploy/pki") }
        try await ShellCommand([pki.path, verb, pair.directory.appending(path: "pki").path, role]).run()
    }

    /// - Parameter secondsLeft: nil: two years. The authority makes none that lasts for less than a day, unless its
    ///   clock is wrong.
    fileprivate func replaceCertificate(of node: NodeName, secondsLeft: Int?) async throws {
        guard let pki = InstalledFile.find("pki") else { throw Failure("can't find Deploy/pki") }
        let authority = pair.directory.appending(path: "pki")
        let bench = pair.directory.appending(path: "renewal")
        let files = FileManager.default
        try? files.removeItem(at: bench)
        try files.createDirectory(at: bench, withIntermediateDirectories: true)
        for file in ["ca.pem", "ca.key", "pair"] {
            try files.copyItem(at: authority.appending(path: file), to: bench.appending(path: file))
        }
        var environment: [String: String] = [:]
        if let secondsLeft {
            let clock = try HostClock(.seats, in: bench)
            try clock.set(.seconds(secondsLeft - 86_400))
            environment = clock.environment
            environment["LD_PRELOAD"] = pair.directory.appending(path: "Clock.so").path
        }
        try await ShellCommand(
            [pki.path, "issue", bench.path, "node/\(node)", secondsLeft == nil ? "730" : "1"], environment: environment
        ).run()
        for name in ["node-\(node).key", "node-\(node).pem"] {
            let target = authority.appending(path: name)
            let new = bench.appending(path: name)
            guard rename(new.path, target.path) == 0 else { throw Failure("can't replace \(target.path)") }
        }
    }
}
