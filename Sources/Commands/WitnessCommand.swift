import ArgumentParser
import Daemon
import Foundation
import NIOCore
import NIOPosix
import Replication
import Wire

struct WitnessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "witness", abstract: "Runs the witness, which breaks ties between the nodes; or has one adopted.",
        subcommands: [Run.self, Adopt.self], defaultSubcommand: Run.self)

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Runs the witness until it is stopped. The default.",
            discussion: """
                It keeps one small record for each pair, and no ticket. Exit codes as those of `twinline node`: 65, 74 \
                and 78 are for a person. A witness that has lost its record is replaced by one on an empty directory: \
                see `twinline help witness adopt`.
                """)

        @Option(name: .shortAndLong, help: "The witness's configuration (YAML); Deploy/ has documented examples.")
        var config: String
        @OptionGroup var life: ProcessLife

        func run() async throws {
            let stopper = life.stopper()
            let witness = try configured(WitnessConfiguration.init(path:), config)
            let log = life.logger("twinline.witness", configured: witness.logLevel)
            let code = await WitnessDaemon(witness.settings, log: log).run(stopper)
            _exit(code.rawValue)
        }
    }

    struct Adopt: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Moves the pair's register to another witness, when its own is lost, wiped or replaced.",
            discussion: """
                Start the new witness on an empty data directory and let witness: say where it listens. A node must \
                lead, and unless it leads solo the standby must be connected: it has to consent. Seats notice nothing. \
                From then on the old witness counts for nothing, should it ever come back. Nothing can be lost by \
                this.
                """)

        @Option(name: .shortAndLong, help: "Where nodes and the new witness are (YAML), with an ops certificate.")
        var config: String
        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            let pair = try configured(PairConfiguration.init(path:), config)
            guard let address = pair.witness else {
                throw Failure("\(config): witness: is missing; write where the new witness listens")
            }
            let client = try OpsClient(tls: pair.tls, group: MultiThreadedEventLoopGroup.singleton)
            let id = try await client.witness(at: address).id
            let adoption = WitnessAdoption(
                view: PairView(routes: pair.nodes, client), witness: id, address: address,
                say: { text in if !json { print(text) } })
            let version = try await adoption.carryOut()
            print(
                json
                    ? "{\"register_version\":\(version),\"witness\":\"\(id)\"}"
                    : "the register is at witness \(id) now, version \(version); let witness: in both nodes' "
                        + "configurations say \(address.numeric) before they start again")
        }
    }
}

/// The steps of `twinline witness adopt`.
struct WitnessAdoption {
    let view: PairView
    let witness: RandomID
    let address: SocketAddress
    let say: (String) -> Void

    /// Nothing of it takes longer, unless something is missing.
    private static let patience = Duration.seconds(10)

    /// Returns the register's version at the new witness.
    func carryOut() async throws -> UInt64 {
        let before = await view.look()
        guard let primary = before.primary, let leader = before.primaryStatus else {
            throw Failure(
                "neither node leads, and only a leader can move the register: \(before.verdict). Start both nodes, and "
                    + "the old witness if it still can be")
        }
        if leader.witnessID == witness.bytes, leader.witnessConnected, leader.registerVersion > 0,
            leader.failoverPossible
        {
            say("nothing to do: the pair's register lives at this witness already")
            return leader.registerVersion
        }
        say("node \(primary) leads; asking it to move the register to witness \(witness) at \(address.numeric)")
        do { _ = try await ask(primary.other) } catch {
            say("node \(primary.other) can't be told where the new witness is: \(error)")
        }
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let answer = try await ask(primary)
            if answer.accepted { break }
            guard answer.again, ContinuousClock.now < deadline else {
                throw Failure("node \(primary) did not move the register: \(answer.text)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        while ContinuousClock.now < deadline {
            let now = await view.look()
            if let status = now.nodes[primary].value, status.witnessID == witness.bytes,
                status.registerVersion > leader.registerVersion
            {
                return status.registerVersion
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure("node \(primary) has not finished moving the register; see twinline status, and ask again")
    }

    private func ask(_ node: NodeName) async throws -> Twinline_Seat_V1_OperationAnswer {
        var operation = Twinline_Seat_V1_Operation()
        operation.kind = .adoptWitness
        operation.adoptWitness.witnessID = witness.bytes
        operation.adoptWitness.host = address.ipAddress ?? ""
        operation.adoptWitness.port = UInt32(address.port ?? 0)
        return try await view.operate(operation, at: node)
    }
}
