import COpenSSL

extension TLSContext {
    /// Why a certificate would not be let in as a peer's. It and `chain`, what came with it, stay the caller's.
    /// - Parameter now: seconds since 1970; nil: by the machine's clock.
    func fault(of certificate: OpaquePointer, with chain: OpaquePointer?, at now: Int64? = nil) -> PeerFault? {
        judge(certificate, chain, as: side == .server ? "ssl_client" : "ssl_server", at: now)
    }

    /// What is wrong with our own certificate under our own authority and revocation list. Everyone has one that can
    /// open connections, so that is what it is judged for.
    var ownFault: PeerFault? {
        guard let certificate = SSL_CTX_get0_certificate(pointer) else { return .noCertificate }
        return judge(certificate, twinline_own_chain(pointer), as: "ssl_client", at: nil)
    }

    private func judge(
        _ certificate: OpaquePointer, _ chain: OpaquePointer?, as use: String, at now: Int64?
    ) -> PeerFault? {
        defer { OpenSSLErrors.forget() }
        let check = X509_STORE_CTX_new()
        defer { X509_STORE_CTX_free(check) }
        guard X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(pointer), certificate, chain) == 1 else {
            return .untrusted(OpenSSLErrors.drain().text)
        }
        X509_STORE_CTX_set_default(check, use)
        if let now { X509_STORE_CTX_set_time(check, 0, Int(now)) }
        return X509_verify_cert(check) == 1 ? nil : PeerFault(verdict: X509_STORE_CTX_get_error(check))
    }
}

extension PeerFault {
    /// From one of OpenSSL's `X509_V_ERR_…`.
    init(verdict: Int32) {
        switch verdict {
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_CERT_REVOKED: self = .revoked
        default: self = .untrusted(String(cString: X509_verify_cert_error_string(Int(verdict))))
        }
    }
}
