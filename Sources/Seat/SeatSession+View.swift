import Replication

extension SeatSession {
    /// All ways to the nodes, for people.
    /// - Parameter addresses: as configured.
    func connections(at now: Instant, _ addresses: [Link: String] = [:]) -> [SeatConnection] {
        order.compactMap { link in
            guard let connection = connections[link] else { return nil }
            let known = connection.roundTrip.isKnown
            let loss = connection.lastLoss.map { loss in
                SeatConnection.Loss(
                    reason: loss.reason, ago: .nanoseconds(Int64(clamping: now.since(loss.at))))
            }
            return SeatConnection(
                link: link, address: addresses[link] ?? "", state: state(of: link, connection),
                roundTrip: known ? .nanoseconds(Int64(clamping: connection.roundTrip.smoothed)) : nil,
                age: .nanoseconds(Int64(clamping: now.since(connection.since))), lastLoss: loss,
                isSuspected: connection.isSuspected, isUsed: link == target)
        }
    }

    private func state(of link: Link, _ connection: Connection) -> SeatConnection.State {
        guard connection.phase == .live, let standing = connection.standing else { return .away }
        if leads(link) { return .primary }
        return standing.role == .standby || standing.role == .primary ? .standby : .starting
    }

    /// The seat closes: nobody's answer is awaited any more.
    mutating func abandonAll() -> [Directive] {
        let named = pending.sorted { $0.value.ordinal < $1.value.ordinal }.compactMap { key, item in
            item.call.map { Directive.deliver(.failed(item.failure(key)), to: $0) }
        }
        let unsent = unnamed.map(\.call) + inspections.values.joined()
        (pending, unnamed, inspections) = ([:], [], [:])
        return named + unsent.map { .deliver(.failed(.unreachable), to: $0) }
    }
}
