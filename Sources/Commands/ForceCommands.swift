import ArgumentParser
import Daemon
import Foundation
import Glibc
import Replication
import Wire

struct ForceSoloCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "force-solo",
        abstract: "Has a primary go on alone that has lost its standby and the witness.",
        discussion: """
            For a pair with two of its three parts lost, whose primary refuses writes since it must not decide alone. \
            Nothing answered before is lost by this, if the other node is OFF AND STAYS OFF until it joins this one, \
            and never meets the old witness before. That it can't be reached is not enough: it may be leading, unseen \
            from here, and then both answer, and what one of them answered is thrown away.
            """)

    @OptionGroup var order: ForceOrder
    func run() async throws { try await order.carryOut(.forceSolo) }
}

struct ForcePromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "force-promote",
        abstract: "Makes a node primary that the rules forbid it, since the other one is lost for good.",
        discussion: """
            For a standby, or a node that was restarted, when the primary is gone and the witness is gone as well or \
            says that the primary went on alone. WHAT ONLY THE LOST NODE HOLDS IS LOST: all that it answered after \
            this node had last followed it. The other node must be OFF AND STAY OFF until it joins this one. When it \
            does, it sets aside what it had answered alone, in a file that a person can read, and takes over this \
            node's data.
            """)

    @OptionGroup var order: ForceOrder
    func run() async throws { try await order.carryOut(.forcePromote) }
}

/// What both forced acts are told, and do.
struct ForceOrder: ParsableArguments {
    @Option(name: .shortAndLong, help: "Where the nodes are (YAML), with an ops certificate.")
    var config: String
    @Option(help: "The node that is to lead: a or b.", transform: ForceOrder.node)
    var node: NodeName
    @Option(help: "The pair's name, as confirmation, instead of typing it when asked.")
    var confirm: String?

    func carryOut(_ kind: Twinline_Seat_V1_Operation.Kind) async throws {
        let pair = try configured(PairConfiguration.init(path:), config)
        // A node that is slow to answer must not be taken for one that is off.
        let view = try PairView(routes: pair.nodes, tls: pair.tls, patience: .seconds(5))
        let before = await view.look()
        guard let status = before.nodes[node].value else {
            throw Failure("node \(node) does not answer, so nothing can be asked of it; start it first")
        }
        if before.nodes[node.other].value != nil {
            throw Failure(
                "node \(node.other) answers: it is not off. Let the two find each other (twinline status), or stop it")
        }
        print(stakes(kind, status))
        guard try confirmation(of: pair.pair) == pair.pair else {
            throw Failure("that is not the pair's name; nothing was changed")
        }
        var operation = Twinline_Seat_V1_Operation()
        operation.kind = kind
        operation.confirmedPair = pair.pair
        let answer = try await view.operate(operation, at: node)
        guard answer.accepted else { throw Failure("node \(node) refused: \(answer.text)") }
        try await waitForLead(view)
    }

    private func stakes(_ kind: Twinline_Seat_V1_Operation.Kind, _ status: Twinline_Seat_V1_Status) -> String {
        let silent = status.peerSilentMs / 1000
        let held =
            "Node \(node) (\(status.roleName)) holds entries up to \(status.synced) and has heard nothing of "
            + "node \(node.other) for \(silent) s."
        let loss =
            kind == .forcePromote
            ? "What node \(node.other) answered after that entry IS LOST, and so is every ticket in it."
            : "What was answered is kept."
        return """
            \(held)
            \(loss)
            Node \(node.other) must be OFF AND STAY OFF until it joins node \(node)\
            \(kind == .forceSolo ? ", and must not meet the old witness before" : "").
            That it can't be reached from here does not mean that it is off.
            """
    }

    private func confirmation(of pair: String) throws -> String {
        if let confirm { return confirm }
        guard isatty(STDIN_FILENO) == 1 else {
            throw Failure("no terminal to ask on; give --confirm and the pair's name")
        }
        print("Type the pair's name to go on: ", terminator: "")
        fflush(nil)
        return readLine()?.trimmingCharacters(in: .whitespaces) ?? ""
    }

    private func waitForLead(_ view: PairView) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if let status = await view.look().nodes[node].value, status.standing.role == .primary, status.forced {
                return print("node \(node) leads by force, in epoch \(status.standing.epoch)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure("node \(node) was told to lead and does not yet; see twinline status and its log")
    }

    private static func node(_ text: String) throws -> NodeName {
        guard let name = NodeName(rawValue: text) else { throw ValidationError("'\(text)' is no node; write a or b") }
        return name
    }
}
