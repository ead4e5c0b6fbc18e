import ArgumentParser
import Daemon

/// The command line of `twinline`.
package struct Twinline: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        abstract: "Keeps a hotline's ticket database on two nodes, so that no seat notices that one has died.",
        discussion: """
            A pair is two nodes and a witness. Make certificates with Deploy/pki, start the three with `twinline node` \
            and `twinline witness`, join them once with `twinline init`, and look at them with `twinline status`. To \
            see it work on this machine, without any of that: `twinline demo`.
            """,
        version: twinlineVersion,
        subcommands: [
            InitCommand.self, NodeCommand.self, WitnessCommand.self, SeatCommand.self, StatusCommand.self,
            SwitchoverCommand.self, ReseedCommand.self, ForceSoloCommand.self, ForcePromoteCommand.self,
            VerifyCommand.self, SQLCommand.self, LogCommand.self, BenchCommand.self, DemoCommand.self,
            DrillCommand.self, CableCommand.self, CheckCommand.self,
        ])

    package init() {}
}
