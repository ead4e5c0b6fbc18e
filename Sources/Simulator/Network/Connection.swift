/// What has one end of a connection.
protocol ConnectionOwner: AnyObject {
    func received(_ bytes: [UInt8], on connection: Connection)
    /// By the other side, or since there is no other side any more.
    func closed(_ connection: Connection)
}

/// A connection as TCP has it: what one side sends arrives in order and once, or not at all. What is under way when a
/// path is cut waits for that to end, as by retransmission; over several connections there is no order.
final class Connection {
    struct End {
        let host: Host
        weak var owner: (any ConnectionOwner)?
        var isOpen = true
    }

    enum Packet { case bytes([UInt8]), close }

    let number: Int
    let route: Int
    private unowned let network: Network
    /// Who dialled, and who was dialled.
    private(set) var ends: [End]
    /// From each end: what is under way, oldest first.
    private var flights: [[(arrival: UInt64, packet: Packet)]] = [[], []]
    private var isPumping = [false, false]

    init(_ number: Int, _ network: Network, from: Host, to: Host, route: Int) {
        (self.number, self.network, self.route) = (number, network, route)
        ends = [End(host: from), End(host: to)]
    }

    func set(owner: any ConnectionOwner, of side: Int) { ends[side].owner = owner }
    private func side(of owner: any ConnectionOwner) -> Int { ends[0].owner === owner ? 0 : 1 }
    func isOpen(for owner: any ConnectionOwner) -> Bool { ends[side(of: owner)].isOpen }
    var isDead: Bool { !ends[0].isOpen && !ends[1].isOpen && flights[0].isEmpty && flights[1].isEmpty }

    func send(_ bytes: [UInt8], by owner: any ConnectionOwner) {
        let side = side(of: owner)
        guard ends[side].isOpen else { return }
        transmit(.bytes(bytes), from: side)
    }

    func close(by owner: any ConnectionOwner) { close(side(of: owner)) }

    /// Whoever had this end is not told.
    func close(_ side: Int) {
        guard ends[side].isOpen else { return }
        ends[side].isOpen = false
        ends[side].owner = nil
        transmit(.close, from: side)
    }

    /// The machine at this end lost its power: nobody says that the connection is over.
    func vanish(_ side: Int) {
        ends[side].isOpen = false
        ends[side].owner = nil
        flights[side].removeAll { if case .close = $0.packet { true } else { false } }
    }

    /// The system finds that the other machine no longer has the connection.
    func expire(_ side: Int) { arrive(.close, at: side) }

    /// Nothing arrives before this moment.
    func begin(at time: UInt64) { begun = time }
    private var begun: UInt64 = 0

    private func transmit(_ packet: Packet, from side: Int) {
        let delay = network.delay(from: ends[side].host, to: ends[1 - side].host, route)
        let earliest = max(flights[side].last?.arrival ?? 0, begun)
        flights[side].append((max(earliest + 1, network.world.now + delay), packet))
        pump(side)
    }

    /// Lets the oldest packet arrive, now or when it is due or the path is open again.
    func pump(_ side: Int) {
        guard !isPumping[side], let first = flights[side].first else { return }
        guard !network.isBlocked(from: ends[side].host, to: ends[1 - side].host, route) else { return }
        isPumping[side] = true
        network.world.at(max(first.arrival, network.world.now)) {
            self.isPumping[side] = false
            guard !self.flights[side].isEmpty,
                !self.network.isBlocked(from: self.ends[side].host, to: self.ends[1 - side].host, self.route)
            else { return }
            let packet = self.flights[side].removeFirst().packet
            self.arrive(packet, at: 1 - side)
            self.pump(side)
        }
    }

    private func arrive(_ packet: Packet, at side: Int) {
        guard ends[side].isOpen, let owner = ends[side].owner else {
            // Nobody is there: the sender is told so, if the machine lives.
            if case .bytes = packet, ends[1 - side].isOpen, network.isPowered(ends[side].host) {
                transmit(.close, from: side)
            }
            return
        }
        switch packet {
        case .bytes(let bytes): owner.received(bytes, on: self)
        case .close:
            ends[side].isOpen = false
            ends[side].owner = nil
            owner.closed(self)
        }
    }
}
