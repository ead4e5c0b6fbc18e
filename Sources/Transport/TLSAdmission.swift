import NIOCore

/// Who decides about a peer once its handshake is done. Exactly one of the two is called last, on the event loop.
package struct TLSAdmission {
    /// The peer is known: install handlers, or throw to refuse it.
    package var admit: (any Channel, TLSSession.Peer) throws(TransportError) -> Void
    /// There will be no connection.
    package var refuse: (TransportError) -> Void

    package init(
        admit: @escaping (any Channel, TLSSession.Peer) throws(TransportError) -> Void,
        refuse: @escaping (TransportError) -> Void
    ) {
        (self.admit, self.refuse) = (admit, refuse)
    }
}
