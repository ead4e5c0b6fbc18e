import ArgumentParser

@main
struct Twinline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keeps a hotline's ticket database on two nodes, so that no seat notices that one has died.")
}
