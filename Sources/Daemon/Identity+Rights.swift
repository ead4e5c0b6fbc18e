import Transport

extension Identity {
    var mayUseSQL: Bool { if case .service = role { true } else { false } }

    /// Ops look after the pair, and not after tickets.
    var mayWrite: Bool {
        switch role {
        case .seat, .supervisor, .service: true
        case .ops, .node, .witness: false
        }
    }
}
