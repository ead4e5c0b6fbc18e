import Replication
import Wire

/// A node's process, as far as it speaks with the witness.
protocol WitnessAsker: Process {
    var node: SimulatedNode { get }
    func witnessConnected(_ id: RandomID)
    func witnessDisconnected()
    func witnessAnswered(_ answer: RegisterAnswer)
}

/// A node's connection to the witness, dialled again whenever it ends, as the daemon's `WitnessClient` keeps it.
final class WitnessRoute: ConnectionOwner {
    private unowned let process: any WitnessAsker
    private(set) var host: Host
    private var connection: Connection?
    private var witness: (id: RandomID, start: UInt64)?
    private var failures: UInt64 = 0
    /// Since when an answer is owed.
    private var owedSince: Instant?
    private var isWatched = false
    static let patience: UInt64 = 2000

    init(_ process: any WitnessAsker) { (self.process, host) = (process, process.node.witness) }

    func start() { dial() }

    /// From now on it is found elsewhere.
    func move(to host: Host) {
        guard host != self.host else { return }
        self.host = host
        guard let connection else { return }
        connection.close(by: self)
        lost(connection)
    }

    func ask(_ request: RegisterRequest) {
        guard let connection, let witness else { return }
        let envelope = WitnessEnvelope(
            pair: process.world.pair, witness: witness.id, start: witness.start, request: request)
        let bytes = encoded(Twinline_Witness_V1_WitnessRequest(envelope))
        connection.send(bytes, by: self)
        // A copy that the network kept for later, over no connection that anybody still has.
        if process.world.network.duplicates() { process.world.straggle(bytes, to: host, of: process.node.name) }
        guard owedSince == nil else { return }
        owedSince = process.now
        if !isWatched { look(at: connection, in: Self.patience) }
    }

    private func look(at connection: Connection, in milliseconds: UInt64) {
        isWatched = true
        process.after(milliseconds: milliseconds) {
            guard self.connection === connection else { return }
            self.isWatched = false
            guard let owedSince = self.owedSince else { return }
            let owed =
                (self.process.now.nanoseconds - min(owedSince.nanoseconds, self.process.now.nanoseconds)) / 1_000_000
            guard owed >= Self.patience else { return self.look(at: connection, in: Self.patience - owed) }
            connection.close(by: self)
            self.lost(connection)
        }
    }

    private func dial() {
        let host = host
        process.world.network.dial(from: process.host, to: host, route: 0, self) { result in
            self.process.run {
                guard case .connected(let connection) = result else { return self.lost(nil) }
                self.connection = connection
                guard host == self.host else {
                    connection.close(by: self)
                    return self.lost(connection)
                }
            }
        }
    }

    func received(_ bytes: [UInt8], on connection: Connection) {
        process.run {
            guard self.connection === connection else { return }
            guard let wire: Twinline_Witness_V1_WitnessAnswer = try? decoded(bytes), let reply = try? WitnessReply(wire)
            else { return self.process.world.fail("\(self.process.host) can't read what the witness said") }
            switch reply {
            case .welcome(let id, let start):
                self.witness = (id, start)
                self.process.witnessConnected(id)
            case .answer(let answer):
                self.failures = 0
                self.owedSince = nil
                self.process.witnessAnswered(answer)
            }
        }
    }

    func closed(_ connection: Connection) { process.run { self.lost(connection) } }

    private func lost(_ ended: Connection?) {
        guard ended === connection else { return }
        let wasConnected = witness != nil
        (connection, witness, isWatched, owedSince) = (nil, nil, false, nil)
        if wasConnected { process.witnessDisconnected() }
        failures += 1
        process.after(milliseconds: min(10 << min(failures, 5), 250)) { self.dial() }
    }
}
