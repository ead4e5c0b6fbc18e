import COpenSSL
import Planted

/// Where one process's certificate, key and trust come from, all PEM.
package struct TLSFiles: Hashable, Sendable {
    /// This process's certificate, then any between it and the authority.
    package var certificate: String
    package var key: String
    package var authority: String
    /// The authority's revocation list. Nil: nothing is ever revoked.
    package var revocations: String?

    package init(certificate: String, key: String, authority: String, revocations: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.authority = authority
        self.revocations = revocations
    }
}

/// What all TLS connections of one kind have in common: TLS 1.3, certificates on both sides, one authority.
///
/// It is made from files once and never changes. New files mean a new context, which new connections then use.
/// `@unchecked Sendable`: after `init` nothing here is written, and OpenSSL counts references to an SSL_CTX atomically
/// and locks what connections share in it.
package final class TLSContext: @unchecked Sendable {
    package enum Side: Sendable { case server, client }

    package let side: Side
    /// Who this process is to its peers.
    package let own: PeerCertificate
    package let protocols: [ApplicationProtocol]
    let pointer: OpaquePointer
    /// OpenSSL keeps a bare pointer to it, so it must live as long as any connection: sessions hold this context.
    private let offer: ProtocolOffer

    /// Reads the files.
    /// - Throws: `TransportError.cannotLoad` with the file and what is wrong with it, in OpenSSL's words or ours.
    package convenience init(
        _ side: Side, _ files: TLSFiles, protocols: [ApplicationProtocol]
    ) throws(TransportError) {
        try self.init(side, files, protocols, keeping: nil)
    }

    /// - Parameter other: where certificate and key are taken from instead of the files.
    private init(
        _ side: Side, _ files: TLSFiles, _ protocols: [ApplicationProtocol], keeping other: TLSContext?
    ) throws(TransportError) {
        guard Self.libraryIsSetUp else { throw .openSSL(OpenSSLErrors.drain().text) }
        OpenSSLErrors.forget()
        guard let context = SSL_CTX_new(side == .server ? TLS_server_method() : TLS_client_method()) else {
            throw .openSSL(OpenSSLErrors.drain().text)
        }
        do throws(TransportError) {
            try Self.configure(context)
            if let other { try Self.copyOwn(of: other, into: context) } else { try Self.loadOwn(files, into: context) }
            try Self.loadTrust(files, into: context)
            own = try Self.readOwn(context, files)
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        (self.side, self.protocols, pointer) = (side, protocols, context)
        offer = ProtocolOffer(protocols)
        offer.install(in: context, side)
    }

    deinit { SSL_CTX_free(pointer) }

    /// Once, before all else: the library is not to clean up when the process ends, as connections may still be in use
    /// on their threads then, and would crash in what it has taken away (OPENSSL_init_crypto(3), NO_ATEXIT).
    private static let libraryIsSetUp = OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) == 1

    /// What the files, which have changed, make of this context.
    ///
    /// - Parameter keepingOwn: takes only authority and revocation list from them: whom to let in can be known although
    ///   the certificate is missing, or does not fit its key yet.
    /// - Throws: `TransportError.cannotLoad`, also when the parts don't fit each other: if its own authority does not
    ///   trust our certificate, the one or the other is still to be replaced, and nobody would be let in until then.
    package func renewed(from files: TLSFiles, keepingOwn: Bool = false) throws(TransportError) -> TLSContext {
        let new = try TLSContext(side, files, protocols, keeping: keepingOwn ? self : nil)
        guard new.own.identity == own.identity else {
            throw .cannotLoad(
                what: "certificate", path: files.certificate,
                reason: "it belongs to \(new.own.identity), not \(own.identity)")
        }
        if case .untrusted(let reason)? = new.ownFault,
            !reason.contains("CRL has expired") || !planted("takeUpAnExpiredList")
        {
            throw .cannotLoad(
                what: "certificate", path: files.certificate,
                reason: "the authority or revocation list does not fit it: \(reason)")
        }
        return new
    }

    /// The longest certificate chain that a peer may send, in bytes: a chain of three is about 2 KiB.
    private static let certificatesLimit = 32 * 1024

    private static func configure(_ context: OpaquePointer) throws(TransportError) {
        guard twinline_use_tls13_only(context) == 1 else { throw .openSSL(OpenSSLErrors.drain().text) }
        // Partial, moving: a write hands over one record at a time from wherever the bytes then are.
        // Release: an idle connection gives its two 16 KiB buffers back.
        twinline_set_mode(
            context,
            Int(SSL_MODE_ENABLE_PARTIAL_WRITE) | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
                | Int(SSL_MODE_RELEASE_BUFFERS))
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        SSL_CTX_set_verify_depth(context, 3)
        rememberNames(context)
        twinline_set_certificates_limit(context, certificatesLimit)
        // A ticket would let a peer come back without showing its certificate, past the revocation list.
        SSL_CTX_set_num_tickets(context, 0)
        twinline_session_cache_off(context)
    }

    /// Of a certificate that is refused nothing can be asked afterwards, so its name is noted while it is judged.
    private static func rememberNames(_ context: OpaquePointer) {
        SSL_CTX_set_cert_verify_callback(
            context,
            { check, _ in
                let verdict = X509_verify_cert(check)
                if verdict != 1, !planted("refuseWithoutAName"),
                    let ssl = X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx()),
                    let session = TLSSession.of(OpaquePointer(ssl))
                {
                    session.peerName = PeerCertificate.claimedName(of: X509_STORE_CTX_get0_cert(check))
                }
                return verdict
            }, nil)
    }

    private static func loadOwn(_ files: TLSFiles, into context: OpaquePointer) throws(TransportError) {
        try check(SSL_CTX_use_certificate_chain_file(context, files.certificate), "certificate", files.certificate)
        try check(SSL_CTX_use_PrivateKey_file(context, files.key, SSL_FILETYPE_PEM), "private key", files.key)
        try check(SSL_CTX_check_private_key(context), "private key", files.key)
    }

    private static func copyOwn(of other: TLSContext, into context: OpaquePointer) throws(TransportError) {
        let result = SSL_CTX_use_cert_and_key(
            context, SSL_CTX_get0_certificate(other.pointer), SSL_CTX_get0_privatekey(other.pointer),
            twinline_own_chain(other.pointer), 1)
        guard result == 1 else { throw .openSSL(OpenSSLErrors.drain().text) }
    }

    private static func loadTrust(_ files: TLSFiles, into context: OpaquePointer) throws(TransportError) {
        try check(SSL_CTX_load_verify_locations(context, files.authority, nil), "authority", files.authority)
        guard let revocations = files.revocations else { return }
        let store = SSL_CTX_get_cert_store(context)
        let lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file())
        try check(X509_load_crl_file(lookup, revocations, X509_FILETYPE_PEM), "revocation list", revocations)
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_CRL_CHECK))
    }

    private static func readOwn(
        _ context: OpaquePointer, _ files: TLSFiles
    ) throws(TransportError) -> PeerCertificate {
        guard let certificate = SSL_CTX_get0_certificate(context) else {
            throw .cannotLoad(what: "certificate", path: files.certificate, reason: "it holds none")
        }
        do throws(PeerFault) {
            return try PeerCertificate(certificate)
        } catch {
            throw .cannotLoad(what: "certificate", path: files.certificate, reason: "\(error)")
        }
    }

    private static func check(_ result: Int32, _ what: String, _ path: String) throws(TransportError) {
        guard result >= 1 else {
            throw .cannotLoad(what: what, path: path, reason: OpenSSLErrors.drain().text)
        }
    }
}

/// The protocols one side speaks, in ALPN's form: each with its length in front.
private final class ProtocolOffer {
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    init(_ protocols: [ApplicationProtocol]) {
        let list = protocols.flatMap { [UInt8($0.rawValue.utf8.count)] + Array($0.rawValue.utf8) }
        bytes = .allocate(capacity: list.count)
        _ = bytes.initialize(from: list)
    }

    deinit { bytes.deallocate() }

    func install(in context: OpaquePointer, _ side: TLSContext.Side) {
        switch side {
        case .client:
            SSL_CTX_set_alpn_protos(context, bytes.baseAddress, UInt32(bytes.count))
        case .server:
            let select: SSL_CTX_alpn_select_cb_func = { _, chosen, chosenLength, offered, offeredLength, argument in
                guard let argument else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                let spoken = Unmanaged<ProtocolOffer>.fromOpaque(argument).takeUnretainedValue().bytes
                var match: UnsafeMutablePointer<UInt8>?
                let result = SSL_select_next_proto(
                    &match, chosenLength, spoken.baseAddress, UInt32(spoken.count), offered, offeredLength)
                guard result == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                chosen?.pointee = UnsafePointer(match)
                return SSL_TLSEXT_ERR_OK
            }
            SSL_CTX_set_alpn_select_cb(context, select, Unmanaged.passUnretained(self).toOpaque())
        }
    }
}
