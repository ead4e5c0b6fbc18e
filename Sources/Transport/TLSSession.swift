import COpenSSL
import NIOCore

/// One TLS connection without any I/O: ciphertext goes in and comes out through memory, so two sessions can talk back
/// to back in a test, and the event loop's handler only moves bytes.
///
/// Every call may leave ciphertext to be sent, also a failed one (an alert): `takeCiphertext` after each.
/// Not Sendable: an `SSL` object belongs to one event loop.
package final class TLSSession {
    /// What came of reading.
    package enum ReadResult: Equatable {
        /// The buffer is full; there may be more.
        case more
        /// All that has arrived has been read.
        case drained
        /// The peer said goodbye (close_notify): nothing follows.
        case ended
    }

    /// Who the peer is, once the handshake is done.
    package struct Peer: Equatable, Sendable {
        package var certificate: PeerCertificate
        package var `protocol`: ApplicationProtocol
    }

    private let context: TLSContext
    private let ssl: OpaquePointer
    /// Both belong to `ssl`.
    private let incoming: OpaquePointer, outgoing: OpaquePointer
    /// What the peer's certificate claims, once it was judged.
    var peerName: String?

    package init(_ context: TLSContext) throws(TransportError) {
        OpenSSLErrors.forget()
        guard let ssl = SSL_new(context.pointer) else { throw .openSSL(OpenSSLErrors.drain().text) }
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw .openSSL(OpenSSLErrors.drain().text)
        }
        // An empty buffer means "not yet", not the end.
        twinline_bio_empty_is_retry(incoming)
        twinline_bio_empty_is_retry(outgoing)
        SSL_set_bio(ssl, incoming, outgoing)
        switch context.side {
        case .server: SSL_set_accept_state(ssl)
        case .client: SSL_set_connect_state(ssl)
        }
        (self.context, self.ssl, self.incoming, self.outgoing) = (context, ssl, incoming, outgoing)
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    /// The session that an `SSL` object belongs to, which frees it at its own end.
    static func of(_ ssl: OpaquePointer) -> TLSSession? {
        SSL_get_ex_data(ssl, 0).map { Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue() }
    }

    deinit { SSL_free(ssl) }

    /// Takes bytes from the network; they have their effect with the next `handshake` or `read`.
    package func receive(_ ciphertext: ByteBuffer) throws(TransportError) {
        let taken = ciphertext.withUnsafeReadableBytes { BIO_write(incoming, $0.baseAddress, Int32($0.count)) }
        guard Int(taken) == ciphertext.readableBytes || ciphertext.readableBytes == 0 else {
            throw .openSSL("no memory for \(ciphertext.readableBytes) bytes")
        }
    }

    /// Goes on with the handshake. Nil: it needs bytes from the peer.
    ///
    /// To a client it is done before the server has judged the client's certificate (so is TLS 1.3): only the server's
    /// first message proves that it is let in; a refusal comes out of `read` as `refusedByPeer`.
    package func handshake() throws(TransportError) -> Peer? {
        OpenSSLErrors.forget()
        let result = SSL_do_handshake(ssl)
        guard result != 1 else { return try peer() }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return nil
        default: throw handshakeError(OpenSSLErrors.drain())
        }
    }

    /// Fills what is writable in `plaintext`.
    package func read(into plaintext: inout ByteBuffer) throws(TransportError) -> ReadResult {
        while plaintext.writableBytes > 0 {
            OpenSSLErrors.forget()
            var result: Int32 = 0
            plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { space in
                result = SSL_read(ssl, space.baseAddress, Int32(clamping: space.count))
                return Int(max(result, 0))
            }
            if result > 0 { continue }
            switch SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .drained
            case SSL_ERROR_ZERO_RETURN: return .ended
            default: throw connectionError(OpenSSLErrors.drain())
            }
        }
        return .more
    }

    /// Encrypts the next record's worth of `plaintext`, at most 16 KiB, and moves its reader index.
    package func encryptRecord(_ plaintext: inout ByteBuffer) throws(TransportError) {
        guard plaintext.readableBytes > 0 else { return }
        OpenSSLErrors.forget()
        let written = plaintext.withUnsafeReadableBytes { bytes in
            SSL_write(ssl, bytes.baseAddress, Int32(clamping: bytes.count))
        }
        guard written > 0 else { throw connectionError(OpenSSLErrors.drain()) }
        plaintext.moveReaderIndex(forwardBy: Int(written))
    }

    /// Says goodbye, if there is a common key to say it under, so that the peer can tell the end from a cut. Nothing
    /// may be encrypted afterwards.
    package func end() {
        guard SSL_is_init_finished(ssl) == 1 else { return }
        OpenSSLErrors.forget()
        SSL_shutdown(ssl)
        OpenSSLErrors.forget()
    }

    /// Ciphertext that has arrived and is not yet read: an upper bound of the plaintext to come.
    package var unreadBytes: Int { BIO_ctrl_pending(incoming) }
    /// Ciphertext that waits to be taken.
    package var ciphertextBytes: Int { BIO_ctrl_pending(outgoing) }

    /// All that is to go to the peer now. Read rather than reset: resetting a memory BIO clears all it ever held.
    package func takeCiphertext(_ allocator: ByteBufferAllocator) -> ByteBuffer? {
        let count = ciphertextBytes
        guard count > 0 else { return nil }
        var ciphertext = allocator.buffer(capacity: count)
        ciphertext.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            Int(max(BIO_read(outgoing, space.baseAddress, Int32(count)), 0))
        }
        return ciphertext
    }

    /// Why the peer, once let in, would not be let in under `context`, which may have a newer revocation list.
    /// Nil: it still would.
    /// - Parameter now: seconds since 1970; nil: by the machine's clock.
    func fault(under context: TLSContext, at now: Int64? = nil) -> PeerFault? {
        guard SSL_is_init_finished(ssl) == 1 else { return nil }
        guard let certificate = SSL_get1_peer_certificate(ssl) else { return .noCertificate }
        defer { X509_free(certificate) }
        return context.fault(of: certificate, with: SSL_get_peer_cert_chain(ssl), at: now)
    }

    /// When the first of the certificates that made the peer known expires, in seconds since 1970.
    var peerExpires: Int64 {
        guard let chain = SSL_get0_verified_chain(ssl) else { return .min }
        let certificates = (0..<twinline_chain_count(chain)).compactMap { twinline_chain_certificate(chain, $0) }
        return certificates.map(PeerCertificate.notAfter).min() ?? .min
    }

    private func peer() throws(TransportError) -> Peer {
        guard let certificate = SSL_get1_peer_certificate(ssl) else { throw .peerRefused(.noCertificate) }
        defer { X509_free(certificate) }
        peerName = PeerCertificate.claimedName(of: certificate)
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &start, &count)
        let name = String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
        guard let agreed = ApplicationProtocol(rawValue: name), context.protocols.contains(agreed) else {
            throw .peerRefused(.noCommonProtocol, of: peerName)
        }
        do throws(PeerFault) {
            let peer = try PeerCertificate(certificate)
            let pair = context.own.identity.pair
            guard peer.identity.pair == pair else { throw .foreignPair(peer.identity.pair, expected: pair) }
            return Peer(certificate: peer, protocol: agreed)
        } catch {
            throw .peerRefused(error, of: peerName)
        }
    }
}

// What OpenSSL's words mean.
extension TLSSession {
    private func handshakeError(_ errors: OpenSSLErrors) -> TransportError {
        if let alert = errors.alert { return .refusedByPeer(alert: alert, own: "\(context.own.identity)") }
        if errors.contains(reason: SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) { return .peerRefused(.noCertificate) }
        if errors.contains(reason: SSL_R_UNSUPPORTED_PROTOCOL) { return .peerRefused(.oldTLS) }
        if errors.contains(reason: SSL_R_NO_APPLICATION_PROTOCOL) { return .peerRefused(.noCommonProtocol) }
        if errors.contains(reason: SSL_R_CERTIFICATE_VERIFY_FAILED) {
            return .peerRefused(
                PeerFault(verdict: Int32(truncatingIfNeeded: SSL_get_verify_result(ssl))), of: peerName)
        }
        return .handshakeBroken(errors.text)
    }

    private func connectionError(_ errors: OpenSSLErrors) -> TransportError {
        if let alert = errors.alert { return .refusedByPeer(alert: alert, own: "\(context.own.identity)") }
        return .broken(errors.text)
    }
}
