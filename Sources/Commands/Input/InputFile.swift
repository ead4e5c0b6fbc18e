import ArgumentParser
import Daemon
import Foundation

/// Why an input file as a whole can't be read. The text ends with what to do.
enum InputError: Error, CustomStringConvertible {
    case unavailable(path: String, reason: String)
    case malformed(path: String, reason: String)

    var description: String {
        switch self {
        case .unavailable(let path, let reason): "can't read \(path): \(reason)"
        case .malformed(let path, let reason): "\(path) \(reason)"
        }
    }

    var exitCode: Daemon.ExitCode {
        switch self {
        case .unavailable: .noInput
        case .malformed: .badInput
        }
    }
}

/// The bytes of a file that may be packed.
enum InputFile {
    static func bytes(of file: URL) throws(InputError) -> [UInt8] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isDirectory) else {
            throw .unavailable(path: file.path, reason: "there is no such file")
        }
        guard !isDirectory.boolValue else { throw .unavailable(path: file.path, reason: "it is a directory") }
        guard let data = FileManager.default.contents(atPath: file.path) else {
            throw .unavailable(path: file.path, reason: "not allowed, or the disk failed; check the file's owner")
        }
        // By what it holds, too: a packed file keeps its beginning under any name.
        guard file.pathExtension == "gz" || data.starts(with: [0x1F, 0x8B]) else { return [UInt8](data) }
        guard !data.isEmpty else { throw .malformed(path: file.path, reason: "is empty; fetch it again") }
        return try unpacked(file)
    }

    private static func unpacked(_ file: URL) throws(InputError) -> [UInt8] {
        let (output, complaints) = (Pipe(), Pipe())
        let process: ChildProcess, data: Data, said: String
        do {
            let input = try FileHandle(forReadingFrom: file)
            defer { try? input.close() }
            process = try ChildProcess(
                "/bin/gzip", ["-dc"], input: input.fileDescriptor,
                output: output.fileHandleForWriting.fileDescriptor,
                errors: complaints.fileHandleForWriting.fileDescriptor)
            // gzip complains in a line or two, so that its pipe never fills up while the other one is read.
            data = try output.all()
            said = String(decoding: try complaints.all(), as: UTF8.self)
        } catch {
            throw .unavailable(path: file.path, reason: "/bin/gzip can't be run to unpack it: \(error)")
        }
        guard process.wait() == 0 else {
            let reason = said.split(separator: "\n").last?.split(separator: ": ").last ?? "no reason given"
            throw .malformed(path: file.path, reason: "can't be unpacked: \(reason); fetch it again")
        }
        return [UInt8](data)
    }
}

extension TicketFile {
    /// For a command: what can't be read is named on standard error, and if nothing can, that ends the command.
    static func read(_ file: URL) throws -> TicketFile {
        do throws(InputError) {
            let tickets = try TicketFile(file)
            let lines = tickets.unreadable.map { "twinline: \(file.path), \($0)\n" }
            FileHandle.standardError.write(Data(lines.joined().utf8))
            return tickets
        } catch {
            FileHandle.standardError.write(Data("twinline: \(error)\n".utf8))
            throw ArgumentParser.ExitCode(error.exitCode.rawValue)
        }
    }

    /// "913 rows, 3 unreadable"
    var count: String { "\(rows.count + unreadable.count) rows, \(unreadable.count) unreadable" }

    /// To end a command with that has done all else.
    func requireAllRead() throws {
        if !unreadable.isEmpty { throw ArgumentParser.ExitCode(Daemon.ExitCode.badInput.rawValue) }
    }
}
