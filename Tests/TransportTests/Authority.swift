import Foundation
import Glibc

@testable import Transport

/// Certificates for tests, made once per run by Deploy/pki in a temporary folder that goes when the run ends.
enum Authority {
    /// The pair "hotline", with seat/lost revoked and seat/old expired.
    static let hotline: Folder = {
        let folder = Folder(pair: "hotline")
        for role in ["node/a", "node/b", "witness", "seat/017", "ops/anna", "seat/lost"] { folder.issue(role) }
        folder.keep("seat-lost")
        folder.pki("revoke", folder.path, "seat/lost")
        folder.issueExpired("seat/old")
        folder.issueNamed("nameless", "DNS:node-a")
        folder.issueNamed("twofold", "URI:twinline://hotline/seat/1,URI:twinline://hotline/node/a")
        folder.issueNamed("misnamed", "URI:twinline://hotline/boss/1")
        return folder
    }()
    /// Another pair, under another authority.
    static let other: Folder = {
        let folder = Folder(pair: "other")
        folder.issue("seat/017")
        return folder
    }()
    /// Another pair whose certificates hotline's authority has signed.
    static let neighbour: Folder = {
        let folder = Folder(pair: "neighbour", signedBy: hotline)
        folder.issue("seat/017")
        return folder
    }()

    struct Folder: Sendable {
        let path: String

        init(pair: String, signedBy other: Folder? = nil) {
            path = temporaryFolder()
            guard let other else {
                pki("init", path, pair)
                return
            }
            for name in ["ca.pem", "ca.key", "crl.pem", "index.txt", "crlnumber"] {
                try? FileManager.default.copyItem(atPath: "\(other.path)/\(name)", toPath: "\(path)/\(name)")
            }
            try? (pair + "\n").write(toFile: path + "/pair", atomically: true, encoding: .utf8)
        }

        func files(_ name: String, revocations: Bool = true) -> TLSFiles {
            TLSFiles(
                certificate: "\(path)/\(name).pem", key: "\(path)/\(name).key", authority: "\(path)/ca.pem",
                revocations: revocations ? "\(path)/crl.pem" : nil)
        }

        func server(_ name: String = "node-a") throws -> TLSContext {
            try TLSContext(.server, files(name), protocols: [.seat, .node])
        }

        func client(_ name: String = "seat-017", _ protocols: [ApplicationProtocol] = [.seat]) throws -> TLSContext {
            try TLSContext(.client, files(name), protocols: protocols)
        }

        func issue(_ role: String) { pki("issue", path, role) }

        /// As a replacement, without revoking what it replaces.
        func issueAgain(_ role: String, days: Int) {
            remove(role.replacing("/", with: "-"))
            pki("issue", path, role, "\(days)")
        }

        func remove(_ name: String) {
            for end in ["pem", "key"] { try? FileManager.default.removeItem(atPath: "\(path)/\(name).\(end)") }
        }

        /// Copies made before a revocation, which takes the files away.
        func keep(_ name: String) {
            for end in ["pem", "key"] {
                try? FileManager.default.copyItem(
                    atPath: "\(path)/\(name).\(end)", toPath: "\(path)/\(name)-kept.\(end)")
            }
        }

        func issueExpired(_ role: String) {
            let name = role.replacing("/", with: "-")
            let request = "\(path)/\(name)"
            openssl(
                "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)",
                "-addext", "subjectAltName=URI:twinline://hotline/\(role)", "-keyout", request + ".key", "-out",
                request + ".csr")
            let configuration = """
                [ca]
                default_ca = x
                [x]
                database = \(request).txt
                rand_serial = yes
                default_md = sha256
                policy = any
                copy_extensions = copy
                [any]
                commonName = supplied
                """
            try? configuration.write(toFile: request + ".cnf", atomically: true, encoding: .utf8)
            try? "".write(toFile: request + ".txt", atomically: true, encoding: .utf8)
            openssl(
                "ca", "-config", request + ".cnf", "-batch", "-notext", "-cert", path + "/ca.pem", "-keyfile",
                path + "/ca.key", "-startdate", "20200101000000Z", "-enddate", "20210101000000Z", "-outdir", path,
                "-in", request + ".csr", "-out", request + ".pem")
        }

        /// A certificate that Deploy/pki would not issue.
        func issueNamed(_ name: String, _ names: String) {
            openssl(
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                "-CA", path + "/ca.pem", "-CAkey", path + "/ca.key", "-subj", "/CN=\(name)", "-addext",
                "subjectAltName=\(names)", "-keyout", "\(path)/\(name).key", "-out", "\(path)/\(name).pem")
        }

        /// A revocation list whose time is over.
        func expiredList() throws -> String {
            let list = "\(path)/expired"
            let configuration = """
                [ca]
                default_ca = x
                [x]
                database = \(path)/index.txt
                default_md = sha256
                """
            try configuration.write(toFile: list + ".cnf", atomically: true, encoding: .utf8)
            openssl(
                "ca", "-config", list + ".cnf", "-gencrl", "-cert", path + "/ca.pem", "-keyfile", path + "/ca.key",
                "-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20210101000000Z", "-out", list + ".pem")
            return list + ".pem"
        }

        func pki(_ arguments: String...) {
            run(repository + "/Deploy/pki", arguments)
        }
    }

    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private static func temporaryFolder() -> String {
        var template = Array((NSTemporaryDirectory() + "/twinline-pki-XXXXXX").utf8CString)
        let path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
        made.append(path)
        return path
    }

    private static func openssl(_ arguments: String...) { run("/usr/bin/openssl", arguments) }

    private static func run(_ path: String, _ arguments: [String]) {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try? process.run()
        process.waitUntilExit()
        precondition(process.terminationStatus == 0, "\(path) \(arguments) failed")
    }
}

/// Temporary folders that go when the test run ends.
private let made = Folders()

private final class Folders: @unchecked Sendable {
    // Guarded by `lock`.
    private var paths: [String] = []
    private let lock = NSLock()

    init() { atexit { made.remove() } }

    func append(_ path: String) { lock.withLock { paths.append(path) } }
    private func remove() { lock.withLock { for path in paths { try? FileManager.default.removeItem(atPath: path) } } }
}
