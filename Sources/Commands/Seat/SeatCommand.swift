import ArgumentParser
import Daemon
import Foundation
import Replication
import Seat
import Tickets

struct SeatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seat", abstract: "Works on tickets as a seat does, with a seat's certificate.",
        discussion: "Exit codes: 0 done, 1 refused, 69 no node answered, 75 outcome unknown, or disks full: ask again.",
        subcommands: [
            OpenCommand.self, ShowCommand.self, ListCommand.self, DispatchCommand.self, AcceptCommand.self,
            ReturnCommand.self, CompleteCommand.self, NoteCommand.self, HistoryCommand.self, FollowCommand.self,
            ReplayCommand.self, SeatStatusCommand.self,
        ])
}

/// What all seat commands share.
struct SeatOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "Where the nodes are, and the seat's certificate (YAML).")
    var config: String
    @Option(help: "Seconds to wait for an answer, failovers included.")
    var patience = 10.0
    @Flag(help: "Print JSON, an object on a line.")
    var json = false

    func validate() throws {
        guard patience > 0 else { throw ValidationError("--patience must be above 0 seconds") }
    }

    var time: Duration { .milliseconds(Int64(patience * 1000)) }

    /// Runs with a seat; what fails ends the command with its exit code.
    func with<Value>(_ work: (SeatClient) async throws -> Value) async throws -> Value {
        try await withSeat(config, work)
    }

    func perform(_ command: Command) async throws {
        let done = try await with { try await $0.perform(command, within: time) }
        print(
            json
                ? jsonLine(["ticket": "\(done.ticket)", "state": "\(done.state)", "revision": done.revision])
                : "\(done.ticket)  \(done.state)")
    }
}

/// Runs with a seat; what fails ends the command with its exit code.
func withSeat<Value>(_ config: String, _ work: (SeatClient) async throws -> Value) async throws -> Value {
    signal(SIGPIPE, SIG_IGN)
    do {
        var configuration = try configured(PairConfiguration.init(path:), config).seat
        configuration.refused = { link, reason in
            let line = "twinline: node \(link.node), route \(link.route): \(reason)\n"
            FileHandle.standardError.write(Data(line.utf8))
        }
        configuration.settled = { command, result in
            guard case .failure(let error) = result else { return }
            let line = "twinline: kept before, \(command.ticket) (\(command.action)): \(error)\n"
            FileHandle.standardError.write(Data(line.utf8))
        }
        configuration.damaged = { files in
            let line = "twinline: damaged, and set aside: \(files.joined(separator: ", "))\n"
            FileHandle.standardError.write(Data(line.utf8))
        }
        let client = try SeatClient(configuration: configuration)
        let value = try await work(client)
        await client.close()
        return value
    } catch let error as SeatError {
        FileHandle.standardError.write(Data("twinline: \(error)\n".utf8))
        throw ArgumentParser.ExitCode(error.exitCode)
    }
}

extension SeatError {
    var exitCode: Int32 {
        switch self {
        case .refused: 1
        case .unknown: 75
        case .unreachable: 69
        case .diskFull: 75
        case .kept: 0
        case .notKept: 74
        case .misconfigured: 78
        }
    }
}

extension TicketID: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

/// A value by its name, as in the documents: "phone", "emergency", "dispatched".
func named<Value: CaseIterable>(_ name: String) throws -> Value {
    if let value = Value.allCases.first(where: { "\($0)" == name }) { return value }
    throw ValidationError("'\(name)' is none of \(names(Value.self))")
}

func names<Value: CaseIterable>(_ type: Value.Type) -> String {
    type.allCases.map { "\($0)" }.joined(separator: ", ")
}
