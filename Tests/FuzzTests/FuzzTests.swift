import Foundation
import Testing
import Transport

@testable import Daemon

/// Random and mutated frames against all that listens or dials: nothing crashes, nothing grows, and whoever does
/// everything right is served as before. `TWINLINE_FUZZ` says how many frames each gets; `Deploy/test --long` sends a
/// million, under AddressSanitizer.
@Suite(.serialized) struct FuzzTests {
    private func report(_ name: String, _ sent: (connections: Int, frames: Int)) {
        print("fuzz: \(name): \(sent.frames) frames over \(sent.connections) connections")
        #expect(sent.frames >= frameCount && sent.connections > 10)
    }

    @Test("a node's port for seats") func seats() throws {
        report("node, from a seat", try SeatPort().attack(frameCount, seed: 1))
    }

    @Test("a node's port for the other node") func nodes() throws {
        let folder = try Keys()
        report("node, from the other node", try NodePort(folder.client("node-b", .node)).attack(frameCount, seed: 2))
    }

    @Test("a node's port for copies") func copies() throws {
        report("node, from one that is reseeded", try CopyPort().attack(frameCount, seed: 3))
    }

    @Test("the witness's port") func witness() throws {
        let folder = try Keys()
        report("witness, from a node", try WitnessPort(directory: folder.path).attack(frameCount, seed: 4))
    }

    @Test("a seat whose node is hostile") func seat() throws {
        let folder = try Keys()
        report("seat, from a node", try SeatSide(folder.client("seat-1", .seat)).attack(frameCount, seed: 5))
    }
}

/// A folder with certificates of a pair, which goes with this object.
final class Keys {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/twinline-fuzz-\(UInt64.random(in: 0 ... .max))"
        try pki("init", "test")
        for name in ["node/b", "seat/1"] { try pki("issue", name) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func client(_ name: String, _ proto: ApplicationProtocol) throws -> TLSContext {
        let files = TLSFiles(
            certificate: "\(path)/\(name).pem", key: "\(path)/\(name).key", authority: path + "/ca.pem")
        return try TLSContext(.client, files, protocols: [proto])
    }

    private func pki(_ verb: String, _ name: String) throws {
        let process = Process()
        process.executableURL =
            URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Deploy/pki").standardizedFileURL
        process.arguments = [verb, path, name]
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
